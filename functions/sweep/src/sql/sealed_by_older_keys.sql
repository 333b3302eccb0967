-- Ciphertexts of one column that another key than the newest sealed; none while that key is too young.
-- $1 table, $2 column, $3 the row to continue after, $4 ciphertexts at most
select id, ciphertext from robnu.sealed_by_older_keys($1, $2, $3, $4)

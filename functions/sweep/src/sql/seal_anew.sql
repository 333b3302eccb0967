-- Replaces ciphertexts of one column, as far as nobody has written to them meanwhile. Returns how many.
-- $1 table, $2 column, $3 rows, $4 their ciphertexts before, $5 the new ones
select robnu.seal_anew($1, $2, $3, $4, $5) as replaced

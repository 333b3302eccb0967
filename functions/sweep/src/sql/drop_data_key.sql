-- Deletes a data key that no ciphertext of the seller names any more.
-- $1 key
select robnu.drop_data_key($1) as dropped

-- Gives the seller a data key after the present one, unless somebody has.
-- $1 the present key, $2 the new key's id, $3 the key as KMS wrapped it, $4 the KMS key that wrapped it
select robnu.add_data_key($1, $2, $3, $4) as added

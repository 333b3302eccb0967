-- Makes a new seller with its first owner and its data key, in one statement.
-- $1 seller id, $2 name, $3 the person's email, $4 id of the data key, $5 wrapped data key, $6 KMS key that wrapped it,
-- $7 where the request comes from
select robnu.sign_up_seller($1, $2, $3, $4, $5, $6, $7)

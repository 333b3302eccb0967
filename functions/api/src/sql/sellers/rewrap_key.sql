-- Stores the data key of a seller that the caller has just signed up, as the seller's own KMS key has wrapped it.
-- $1 seller, $2 data key, $3 the wrapped key as it is stored now, $4 the wrapped key, $5 the KMS key that wraps it now
select robnu.rewrap_new_key($1, $2, $3, $4, $5)

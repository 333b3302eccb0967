-- Claims an idempotency key for this request, or raises an error because it was used. $1 hash of the key, $2 digest of the
-- request
select robnu.claim_idempotency_key($1, $2)

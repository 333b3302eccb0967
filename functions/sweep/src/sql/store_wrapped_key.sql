-- Stores a data key as another KMS key has wrapped it.
-- $1 key, $2 the KMS key that wrapped it before, $3 the wrapped key, $4 the KMS key that wraps it now
update robnu.seller_keys
set wrapped_key = $3, kms_key_id = $4
where id = $1 and kms_key_id = $2
returning id

-- Takes the lease on a data key, so that nobody else makes a KMS key for its seller or wraps it meanwhile. Returns no row when
-- somebody else has the lease, or has wrapped it anew. The lease is longer than any invocation lasts; nobody gives it back.
-- $1 key, $2 the KMS key that wrapped it
update robnu.seller_keys
set lease_expires_at = now() + interval '15 minutes'
where id = $1 and kms_key_id = $2 and lease_expires_at <= now()
returning id as key_id, wrapped_key, kms_key_id

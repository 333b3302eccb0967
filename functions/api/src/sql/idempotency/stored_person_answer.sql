-- The stored response to an earlier request of this person that names no seller, and whether it was the same request.
-- $1 hash of the key, $2 digest of the request
select status, body, request_digest = $2 as is_same
from robnu.person_idempotency_keys
where key_hash = $1

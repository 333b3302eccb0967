-- The stored response to an earlier request of this actor and seller, and whether it was the same request.
-- $1 hash of the key, $2 digest of the request
select status, body, request_digest = $2 as is_same
from robnu.idempotency_keys
where key_hash = $1

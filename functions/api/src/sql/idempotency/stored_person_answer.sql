-- The answer that a request of this person, naming no seller, got before, and whether it was the same request.
-- $1 hash of the key, $2 digest of the request
select status, body, request_digest = $2 as is_same
from robnu.person_idempotency_keys
where key_hash = $1

-- Stores the response to a request of this person that names no seller. $1 hash of the key, $2 status, $3 body
update robnu.person_idempotency_keys
set status = $2, body = $3
where key_hash = $1

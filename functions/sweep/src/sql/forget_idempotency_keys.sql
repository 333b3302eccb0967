-- Deletes stored responses that have expired. $1 rows at most
select robnu.forget('idempotency_keys', $1) as forgotten

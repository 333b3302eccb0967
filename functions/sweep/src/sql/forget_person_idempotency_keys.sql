-- Deletes stored responses to persons that have expired. $1 rows at most
select robnu.forget('person_idempotency_keys', $1) as forgotten

-- Deletes answers to persons that are not given again any more. $1 rows at most
select robnu.forget('person_idempotency_keys', $1) as forgotten

-- Deletes answers that are not given again any more. $1 rows at most
select robnu.forget('idempotency_keys', $1) as forgotten

-- Deletes answers that are not given again any more. $1 rows at most
with old as (
  select ctid from robnu.idempotency_keys where created_at < now() - interval '25 hours'
  limit $1
  for update skip locked
)
delete from robnu.idempotency_keys served using old where served.ctid = old.ctid
returning 1

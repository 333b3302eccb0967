-- Takes a call from the bucket of an account's operation if there is one in it, and returns how many seconds to wait if there is none.
-- $1 account, $2 operation, $3 seconds in which one call is refilled, $4 calls that the bucket holds
with taken as (
  insert into robnu.call_buckets as bucket (seller_id, account_id, operation, full_at)
  values (robnu.app_current_seller_id(), $1, $2, now() + make_interval(secs => $3))
  on conflict (seller_id, account_id, operation) do update
  set full_at = greatest(bucket.full_at, now()) + make_interval(secs => $3)
  where greatest(bucket.full_at, now()) + make_interval(secs => $3) <= now() + make_interval(secs => $3 * $4)
  returning bucket.operation
)
-- Others may have emptied the bucket since this statement began, so that it seems to hold a call: then we look again in a moment.
select case when exists (select from taken) then 0
  else greatest(extract(epoch from bucket.full_at - now())::double precision - $3 * ($4 - 1), 0.05) end as wait_seconds
from (values (true)) one
left join robnu.call_buckets bucket on bucket.account_id = $1 and bucket.operation = $2

-- Notes that the marketplace refused a call: the bucket of the operation holds none until the pause is over.
-- $1 account, $2 operation, $3 seconds until there is a call in it, and until it is full from then on
insert into robnu.call_buckets as bucket (seller_id, account_id, operation, full_at)
values (robnu.app_current_seller_id(), $1, $2, now() + make_interval(secs => $3))
on conflict (seller_id, account_id, operation) do update set full_at = greatest(bucket.full_at, excluded.full_at)

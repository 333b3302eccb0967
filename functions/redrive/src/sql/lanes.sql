-- A page of accounts with their lanes and the live runs that no file has begun, by the accounts' ids. $1 marketplace, $2 seller,
-- $3 account; null: all. $4 the last account of the page before or null, $5 how many
select a.id as account_id, a.marketplace_code as marketplace, a.seller_id, a.status, a.status_since, a.lane_state,
  robnu.is_held(a.held_at, a.marketplace_code) as is_held, a.lane_queue_url is not null as has_queue, a.lane_checked_at, live.runs as live_runs, live.oldest_waiting
from robnu.marketplace_accounts a
cross join lateral (
  select count(*) as runs, min(r.queued_at) filter (where r.state <> 'RUNNING') as oldest_waiting
  from robnu.sync_runs r
  where r.seller_id = a.seller_id and r.account_id = a.id and r.trigger <> 'FILE' and r.state in ('QUEUED', 'RUNNING', 'WAITING')
) live
where ($1::text is null or a.marketplace_code = $1) and ($2::uuid is null or a.seller_id = $2) and ($3::uuid is null or a.id = $3)
  and ($4::uuid is null or a.id > $4)
order by a.id
limit $5

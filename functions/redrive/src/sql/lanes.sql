-- A page of accounts by their ids, with their lanes, the live runs that no file has begun, and when each kind that is scheduled or was ever
-- read was last read to its end. Runs are only looked for once the page's accounts are known. $1 marketplace, $2 seller, $3 account; null: all.
-- $4 the last account of the page before or null, $5 how many
with page as (
  select id, marketplace_code, seller_id, status, status_since, lane_state, lane_kind, lane_shared, held_at, lane_queue_url, lane_checked_at
  from robnu.marketplace_accounts
  where ($1::text is null or marketplace_code = $1) and ($2::uuid is null or seller_id = $2) and ($3::uuid is null or id = $3)
    and ($4::uuid is null or id > $4)
  order by id
  limit $5
)
select a.id as account_id, a.marketplace_code as marketplace, a.seller_id, a.status, a.status_since, a.lane_state, a.lane_kind,
  a.lane_state in ('ACTIVE', 'PAUSED') and (a.lane_kind = 'SHARED') <> a.lane_shared as is_moving,
  robnu.is_held(a.held_at, a.marketplace_code) as is_held, a.lane_queue_url is not null as has_queue, a.lane_checked_at,
  live.runs as live_runs, live.oldest_waiting, reads.kinds, reads.read_at, reads.every_minutes
from page a
cross join lateral (
  select count(*) as runs, min(r.queued_at) filter (where r.state <> 'RUNNING') as oldest_waiting
  from robnu.sync_runs r
  where r.seller_id = a.seller_id and r.account_id = a.id and r.trigger <> 'FILE' and r.state in ('QUEUED', 'RUNNING', 'WAITING')
) live
cross join lateral (
  select coalesce(array_agg(k.code order by k.code), '{}') as kinds, coalesce(array_agg(last.finished_at order by k.code), '{}') as read_at,
    coalesce(array_agg(d.every_minutes order by k.code), '{}') as every_minutes
  from robnu.run_kinds k
  left join robnu.schedules d on d.seller_id = a.seller_id and d.account_id = a.id and d.kind = k.code and d.enabled
  left join lateral (
    select r.finished_at
    from robnu.sync_runs r
    where r.seller_id = a.seller_id and r.account_id = a.id and r.kind = k.code and r.state = 'SUCCEEDED' and r.window_from is null
    order by r.id desc
    limit 1
  ) last on true
  where d.id is not null or last.finished_at is not null
) reads
order by a.id

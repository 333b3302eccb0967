-- Each marketplace: its accounts, its live runs with the oldest that waits and could go on, what became of the runs made in the last hour,
-- and its open dead letters. Of more than 10,000 runs of the hour only the newest are counted.
with live as (
  select r.marketplace_code, r.id, r.seller_id, r.account_id, r.kind, r.state, r.queued_at, r.error_code,
    r.state <> 'RUNNING' and s.suspended_at is null and robnu.takes_runs(a.status, a.lane_queue_url, r.kind)
      and not robnu.is_held(a.held_at, a.marketplace_code) as waits
  from robnu.sync_runs r
  join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
  join robnu.sellers s on s.seller_id = r.seller_id
  where r.state in ('QUEUED', 'RUNNING', 'WAITING')
), oldest as (
  select distinct on (marketplace_code) marketplace_code, id, seller_id, account_id, kind, queued_at, error_code
  from live where waits
  order by marketplace_code, queued_at, id
), counted as (
  select marketplace_code, count(*) filter (where state = 'QUEUED') as queued, count(*) filter (where state = 'RUNNING') as running,
    count(*) filter (where state = 'WAITING') as waiting, count(error_code) as runs_with_error,
    mode() within group (order by error_code) as commonest_error
  from live
  group by marketplace_code
), hour as (
  select marketplace_code, count(*) as made, count(*) filter (where state = 'SUCCEEDED') as succeeded,
    count(*) filter (where state = 'FAILED') as failed, mode() within group (order by error_code) filter (where state = 'FAILED') as failed_of
  from (
    select marketplace_code, state, error_code
    from robnu.sync_runs
    where step >= 0 and id >= (select uuidv7(interval '-1 hour'))
    order by id desc
    limit 10000
  ) newest
  group by marketplace_code
)
select m.code as marketplace, m.held_at, a.accounts, a.active_accounts, a.accounts_to_reconnect, coalesce(c.queued, 0) as queued,
  coalesce(c.running, 0) as running, coalesce(c.waiting, 0) as waiting, coalesce(c.runs_with_error, 0) as runs_with_error, c.commonest_error,
  o.id as oldest_run, o.seller_id as oldest_seller, o.account_id as oldest_account, o.kind as oldest_kind, o.queued_at as oldest_since,
  o.error_code as oldest_error, coalesce(h.made, 0) as made, coalesce(h.succeeded, 0) as succeeded, coalesce(h.failed, 0) as failed, h.failed_of,
  (select count(*) from robnu.dead_letters d where d.state = 'OPEN' and d.source = m.code) as dead_letters
from robnu.marketplaces m
cross join lateral (
  select count(*) as accounts, count(*) filter (where a.status = 'ACTIVE') as active_accounts,
    count(*) filter (where a.status = 'NEEDS_RECONNECT') as accounts_to_reconnect
  from robnu.marketplace_accounts a
  where a.marketplace_code = m.code and a.status <> 'DISCONNECTED'
) a
left join counted c on c.marketplace_code = m.code
left join oldest o on o.marketplace_code = m.code
left join hour h on h.marketplace_code = m.code
order by m.code

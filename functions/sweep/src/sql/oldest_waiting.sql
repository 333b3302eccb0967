-- For how many seconds the oldest run of each marketplace has waited that should go on: it is queued, published or not, its wait is over, or
-- its lease holder is gone. 0 when none waits. Runs that rest for a reason that operators see elsewhere do not count: those of held, paused and
-- refused accounts, of suspended sellers, and of accounts without a lane.
-- $1 codes of the marketplaces
select m.code, coalesce(extract(epoch from now() - min(oldest.since)), 0)::bigint as seconds
from robnu.marketplaces m
left join lateral (
  select r.since
  from (
    (select seller_id, account_id, kind, queued_at as since from robnu.sync_runs unsent
     where marketplace_code = m.code and state = 'QUEUED' and sent_at is null
       and (select robnu.takes_runs(a.status, a.lane_queue_url, unsent.kind) and not robnu.is_held(a.held_at, a.marketplace_code)
           and s.suspended_at is null
         from robnu.marketplace_accounts a join robnu.sellers s on s.seller_id = a.seller_id
         where a.seller_id = unsent.seller_id and a.id = unsent.account_id)
     order by queued_at
     limit 1)
    union all
    (select seller_id, account_id, kind, queued_at from robnu.sync_runs
     where marketplace_code = m.code and state = 'QUEUED' and sent_at is not null)
    union all
    (select seller_id, account_id, kind, next_attempt_at from robnu.sync_runs
     where marketplace_code = m.code and state = 'WAITING' and next_attempt_at <= now())
    union all
    (select seller_id, account_id, kind, lease_expires_at from robnu.sync_runs
     where marketplace_code = m.code and state = 'RUNNING' and lease_expires_at <= now())
  ) r
  join robnu.marketplace_accounts account on account.seller_id = r.seller_id and account.id = r.account_id
    and robnu.takes_runs(account.status, account.lane_queue_url, r.kind)
    and not robnu.is_held(account.held_at, account.marketplace_code)
  join robnu.sellers seller on seller.seller_id = r.seller_id and seller.suspended_at is null
  order by r.since
  limit 1
) oldest on m.held_at is null
where m.code = any ($1)
group by m.code

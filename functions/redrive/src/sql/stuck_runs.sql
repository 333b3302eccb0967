-- Live runs that make no progress, or that nobody takes although their account takes runs, oldest first. Runs of other accounts rest:
-- the account is what is stuck. A run that has waited and was just published again has kept its error; it is given ten minutes.
-- $1 marketplace, $2 seller, $3 account; null: all. $4 how many, $5 attempts without progress, $6 seconds that a queued run may wait to
-- be taken, $7 seconds that a lease or the end of a wait may be overdue
with marketplace as materialized (
  select code, robnu.room_of(code) = 0 as is_full from robnu.marketplaces
)
select case when at.fails then 'RUN_FAILING' else 'RUN_NOT_TAKEN' end as what, r.marketplace_code as marketplace, r.seller_id, r.account_id,
  r.id, r.kind, case when at.fails then r.queued_at else at.idle_since end as since,
  case
    when at.fails then coalesce(r.error_code, 'no_progress')
    when r.state = 'RUNNING' then 'lease_expired'
    when r.state = 'QUEUED' and r.sent_at is not null then 'not_received'
    when marketplace.is_full then 'limit_reached'
    else 'not_published'
  end as why,
  1::bigint as count
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
join robnu.sellers s on s.seller_id = r.seller_id and s.suspended_at is null
join marketplace on marketplace.code = r.marketplace_code
cross join lateral (
  select r.fruitless_attempts >= $5 as fails,
    case r.state when 'WAITING' then r.next_attempt_at when 'RUNNING' then r.lease_expires_at else r.queued_at end as idle_since
) at
where r.state in ('QUEUED', 'RUNNING', 'WAITING') and robnu.takes_runs(a.status, a.lane_queue_url, r.kind)
  and not robnu.is_held(a.held_at, a.marketplace_code)
  and (at.fails or (
    at.idle_since < now() - make_interval(secs => case r.state when 'QUEUED' then $6::double precision else $7::double precision end)
    and (r.state <> 'QUEUED' or r.error_code is null or coalesce(r.sent_at < now() - interval '10 minutes', true))))
  and ($1::text is null or r.marketplace_code = $1) and ($2::uuid is null or r.seller_id = $2) and ($3::uuid is null or r.account_id = $3)
order by since, r.id
limit $4

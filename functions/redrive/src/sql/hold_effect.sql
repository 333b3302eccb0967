-- What a hold concerns: whether its account or marketplace is held, whether its account's marketplace is held as well or how many of its
-- marketplace's accounts are, its accounts, how many of them take runs by their own status, their live runs, and those of them that wait until
-- their marketplace answers again (hurry_runs.sql).
-- $1 account, $2 marketplace; one of them is null
select coalesce((select m.held_at is not null from robnu.marketplaces m where m.code = $2::text), bool_or(a.held_at is not null), false) as held,
  count(*) filter (where case when $1::uuid is null then a.held_at is not null else robnu.is_held(null, a.marketplace_code) end) as also_held,
  count(*) as accounts, count(*) filter (where a.status = 'ACTIVE') as active_accounts,
  (select count(*) from robnu.sync_runs r
    where r.state in ('QUEUED', 'RUNNING', 'WAITING') and ($1 is null or r.account_id = $1) and ($2 is null or r.marketplace_code = $2)
  ) as live_runs,
  (select count(*) from robnu.sync_runs r
    where r.state = 'WAITING' and r.next_attempt_at > now() and r.error_code in ('marketplace_unavailable', 'marketplace_garbled')
      and ($1 is null or r.account_id = $1) and ($2 is null or r.marketplace_code = $2)
  ) as waiting_runs
from robnu.marketplace_accounts a
where ($1 is null or a.id = $1) and ($2 is null or a.marketplace_code = $2)

-- Claims due schedules and makes their runs, which admit.sql publishes. It makes a run if the account is active, has worked before and has
-- no live run of the kind, if the seller is not suspended, if operators do not hold the account's runs, and if the marketplace's adapter
-- supports the kind. A schedule keeps its phase and moves past the present, however long no sweep ran. Returns one row.
-- $1 schedules at most, $2 codes of the marketplaces that have an adapter
with claimed as (
  update robnu.schedules
  set last_claimed_at = now(),
    next_due_at = date_bin(make_interval(mins => every_minutes), now(), next_due_at) + make_interval(mins => every_minutes)
  where id = any (array(
    select id from robnu.schedules
    where enabled and next_due_at <= now()
    order by next_due_at
    limit $1
    for update skip locked))
  returning seller_id, account_id, kind
), made as (
  insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
  select claimed.seller_id, claimed.account_id, account.marketplace_code, claimed.kind, 'SCHEDULE'
  from claimed
  join robnu.marketplace_accounts account on account.seller_id = claimed.seller_id and account.id = claimed.account_id
  join robnu.sellers seller on seller.seller_id = claimed.seller_id and seller.suspended_at is null
  join robnu.marketplace_kinds offered on offered.marketplace_code = account.marketplace_code and offered.kind = claimed.kind
    and offered.support = 'LIVE'
  where account.status = 'ACTIVE' and account.verified_at is not null and account.marketplace_code = any ($2)
    and not robnu.is_held(account.held_at, account.marketplace_code)
  on conflict (seller_id, account_id, kind) where state in ('QUEUED', 'RUNNING', 'WAITING') and trigger <> 'FILE' do nothing
  returning id
)
select (select count(*) from made) as runs_made, claimed.schedules as schedules_claimed,
  -- This statement sees the schedules as they were before it claimed any, so more work remains only if more are due than it
  -- claimed.
  claimed.schedules = $1 and exists (
    select from robnu.schedules where enabled and next_due_at <= now() offset $1) as more_due
from (select count(*) as schedules from claimed) claimed

-- Holds all runs of a marketplace or lets them go on, unless it is so already, and records who did it: see hold_account.sql. An account that
-- is held itself stays so. Returns how many changed. $1 marketplace, $2 whether to hold it, $3 operator, $4 reason
with changed as (
  update robnu.marketplaces
  set held_at = case when $2::boolean then now() end, hold_reason = case when $2 then $4::text end
  where code = $1 and (held_at is not null) <> $2
  returning code
), due as (
  update robnu.schedules d
  set next_due_at = least(d.next_due_at, now() + random() * interval '10 minutes')
  from changed c join robnu.marketplace_accounts a on a.marketplace_code = c.code and a.held_at is null
  where not $2 and d.seller_id = a.seller_id and d.account_id = a.id
), unsent as (
  update robnu.sync_runs r set sent_at = null
  from changed c where not $2 and r.marketplace_code = c.code and r.state = 'QUEUED'
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code)
  select case when $2 then 'HOLD' else 'RESUME' end, $3, $4, code from changed
)
select count(*) as changed from changed

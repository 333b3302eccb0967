-- Holds an account's runs or lets them go on, unless it is so already, and records who did it. What is let go goes on soon: its schedules
-- are due within minutes of each other, and queued runs whose message was turned away meanwhile count as unsent. Returns how many changed.
-- $1 account, $2 whether to hold it, $3 operator, $4 reason
with changed as (
  update robnu.marketplace_accounts
  set held_at = case when $2::boolean then now() end, hold_reason = case when $2 then $4::text end
  where id = $1 and (held_at is not null) <> $2
  returning seller_id, id, marketplace_code
), due as (
  update robnu.schedules d
  set next_due_at = least(d.next_due_at, now() + random() * interval '10 minutes')
  from changed c where not $2 and d.seller_id = c.seller_id and d.account_id = c.id
), unsent as (
  update robnu.sync_runs r set sent_at = null
  from changed c where not $2 and r.seller_id = c.seller_id and r.account_id = c.id and r.state = 'QUEUED'
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code, seller_id, account_id)
  select case when $2 then 'HOLD' else 'RESUME' end, $3, $4, marketplace_code, seller_id, id from changed
)
select count(*) as changed from changed

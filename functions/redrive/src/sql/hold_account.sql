-- Holds an account's runs or lets them go on, unless it is so already, and records who did it. Returns since when it was held, and the time of
-- the change; no row when it was so already. $1 account, $2 whether to hold it, $3 operator, $4 reason
with changed as (
  update robnu.marketplace_accounts
  set held_at = case when $2::boolean then now() end, hold_reason = case when $2 then $4::text end
  where id = $1 and (held_at is not null) <> $2
  returning seller_id, id, marketplace_code, old.held_at as held_since
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code, seller_id, account_id)
  select case when $2 then 'HOLD' else 'RESUME' end, $3, $4, marketplace_code, seller_id, id from changed
)
select held_since, now() as changed_at from changed

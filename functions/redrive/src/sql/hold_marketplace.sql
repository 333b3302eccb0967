-- Holds all runs of a marketplace or lets them go on, unless it is so already, and records who did it: see hold_account.sql. An account that
-- is held itself stays so. $1 marketplace, $2 whether to hold it, $3 operator, $4 reason
with changed as (
  update robnu.marketplaces
  set held_at = case when $2::boolean then now() end, hold_reason = case when $2 then $4::text end
  where code = $1 and (held_at is not null) <> $2
  returning code, old.held_at as held_since
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code)
  select case when $2 then 'HOLD' else 'RESUME' end, $3, $4, code from changed
)
select held_since, now() as changed_at from changed

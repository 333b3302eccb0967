-- Makes a schedule, due at once, for every kind that the marketplace's adapter supports and that is read by schedule.
-- $1 seller, $2 account
insert into robnu.schedules (seller_id, account_id, kind, every_minutes)
select $1, a.id, k.kind, k.every_minutes
from robnu.marketplace_accounts a
join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.every_minutes is not null
where a.id = $2

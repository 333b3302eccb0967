-- Makes a schedule for every kind that the marketplace's adapter supports and that is read by schedule. It is due at once, but for checks
-- of the credentials, which connecting makes itself.
-- $1 seller, $2 account
insert into robnu.schedules (seller_id, account_id, kind, every_minutes, next_due_at)
select $1, a.id, k.kind, k.every_minutes,
  now() + case when k.kind = 'CREDENTIAL_CHECK' then make_interval(mins => k.every_minutes) else interval '0' end
from robnu.marketplace_accounts a
join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.every_minutes is not null
where a.id = $2

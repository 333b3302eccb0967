-- Creates or changes a schedule of an account whose marketplace supports the kind. A run that is due later than the new
-- interval allows is moved forward. A new one is due at once, but for checks: removing and creating one in a loop would log in in a loop. $1 account, $2 kind, $3 minutes between runs, $4 enabled, $5 version that the client has
-- read, or null
insert into robnu.schedules as known (seller_id, account_id, kind, every_minutes, enabled, next_due_at)
select a.seller_id, a.id, $2, $3, $4, now() + case when $2 = 'CREDENTIAL_CHECK' then make_interval(mins => $3) else interval '0' end
from robnu.marketplace_accounts a
join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.kind = $2 and k.support = 'LIVE'
where a.id = $1 and a.status <> 'DISCONNECTED'
  and ($5::integer is null
    or exists (select from robnu.schedules s where s.seller_id = a.seller_id and s.account_id = a.id and s.kind = $2))
on conflict (seller_id, account_id, kind) do update
set every_minutes = excluded.every_minutes, enabled = excluded.enabled,
  next_due_at = least(known.next_due_at, now() + make_interval(mins => excluded.every_minutes))
where $5::integer is null or known.version = $5
returning id

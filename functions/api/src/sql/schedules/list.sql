-- An account's schedules. $1 account
select id, account_id, kind, every_minutes, enabled, next_due_at, version
from robnu.schedules
where account_id = $1
order by kind

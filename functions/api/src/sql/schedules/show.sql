-- One schedule. $1 account, $2 kind
select id, account_id, kind, every_minutes, enabled, next_due_at, version
from robnu.schedules
where account_id = $1 and kind = $2

-- The scans that wait for their returns, newest first: before scan $1, $2 of them.
select id, code, condition, condition_reason, condition_quantity, scanned_at, scanned_by
from robnu.unmatched_scans where id < $1 order by id desc limit $2

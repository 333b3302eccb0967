-- The waiting scan of a code. $1 code
select id, code, condition, condition_reason, condition_quantity, scanned_at, scanned_by from robnu.unmatched_scans where code = $1

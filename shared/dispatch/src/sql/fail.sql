-- Ends a run for good. $1 run, $2 step, $3 attempt, $4 error code, $5 error message
update robnu.sync_runs
set state = 'FAILED', finished_at = now(), lease_expires_at = null, error_code = $4, error_message = $5
where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'

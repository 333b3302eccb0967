-- Postpones a run; a sweep publishes it again. $1 run, $2 step, $3 attempt, $4 seconds, $5 error code, $6 error message
update robnu.sync_runs
set state = 'WAITING', next_attempt_at = now() + make_interval(secs => $4), lease_expires_at = null,
  error_code = $5, error_message = $6
where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'

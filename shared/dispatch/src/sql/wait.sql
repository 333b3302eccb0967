-- Postpones a run; a sweep publishes it again. $1 run, $2 step, $3 attempt, $4 seconds, $5 error code, $6 error message, $7 whether it was told to wait
update robnu.sync_runs
set state = 'WAITING', next_attempt_at = now() + make_interval(secs => $4), lease_expires_at = null,
  deferred_attempts = deferred_attempts + $7::boolean::int, error_code = $5, error_message = $6
where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'

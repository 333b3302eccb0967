-- Ends a run that is not at work. $1 run
update robnu.sync_runs
set state = 'CANCELLED', finished_at = now(), next_attempt_at = null
where id = $1 and state in ('QUEUED', 'WAITING')
returning id

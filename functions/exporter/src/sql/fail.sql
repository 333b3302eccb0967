-- Ends the export without a file. $1 export, $2 attempt, $3 why
update robnu.exports set state = 'FAILED', error_code = $3, finished_at = now(), lease_expires_at = null
where id = $1 and attempt = $2 and state = 'RUNNING'
returning id

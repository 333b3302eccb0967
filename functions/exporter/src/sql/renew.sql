-- Shows that the attempt is alive. $1 export, $2 attempt, $3 seconds of the lease
update robnu.exports set lease_expires_at = now() + make_interval(secs => $3)
where id = $1 and attempt = $2 and state = 'RUNNING'
returning id

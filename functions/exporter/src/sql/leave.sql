-- Leaves the export to the next message. $1 export, $2 attempt
update robnu.exports set state = 'QUEUED', lease_expires_at = null, sent_at = now()
where id = $1 and attempt = $2 and state = 'RUNNING'
returning id

-- Ends an export that is not finished. $1 export
update robnu.exports
set state = 'CANCELLED', finished_at = now(), lease_expires_at = null
where id = $1 and state in ('QUEUED', 'RUNNING')
returning id

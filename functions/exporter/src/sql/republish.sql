-- Claims exports that need a message: those that are not finished, whose last message is old and whom nobody holds, and finished ones
-- whose upload was not aborted.
-- $1 how many, $2 seconds after which a message counts as lost, $3 seconds that a lease may be overdue
update robnu.exports
set sent_at = now()
where id = any (array(
  select e.id
  from robnu.exports e
  where (e.state in ('QUEUED', 'RUNNING') or e.upload_id is not null)
    and e.sent_at <= now() - make_interval(secs => $2)
    and coalesce(e.lease_expires_at <= now() - make_interval(secs => $3), true)
  order by e.sent_at
  limit $1
  for update skip locked))
returning seller_id, id

-- What was done before an event, newest first.
-- $1 event, $2 how many, $3 actor or null, $4 beginning of the action or null, $5 not before or null, $6 before or null
select e.id, e.occurred_at, e.actor_kind, e.actor_id, p.email as actor_email, e.impersonation_session_id, e.action, e.object_id,
  e.changed, e.shown::text as shown
from robnu.audit_events e
left join robnu.people p on p.id = e.actor_id
where e.id < $1
  and ($3::uuid is null or e.actor_id = $3)
  and ($4::text is null or starts_with(e.action, $4))
  and ($5::timestamptz is null or e.occurred_at >= $5)
  and ($6::timestamptz is null or e.occurred_at < $6)
order by e.id desc
limit $2

-- What was done before an event, newest first.
-- $1 event, $2 how many, $3 actor or null, $4 beginning of the action or null, $5 not before or null, $6 before or null
select e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_email, e.impersonation_session_id, e.action, e.object_id, e.changed,
  e.shown::text as shown
from robnu.audit_events e
where e.id < $1
  and case when $3::uuid is null then true else e.actor_id = $3 end
  and case when $4::text is null then true else starts_with(e.action, $4) end
  and case when $5::timestamptz is null then true else e.occurred_at >= $5 end
  and case when $6::timestamptz is null then true else e.occurred_at < $6 end
order by e.id desc
limit $2

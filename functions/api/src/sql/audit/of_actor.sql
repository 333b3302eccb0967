-- The audit events of one actor, newest first.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: actor, beginning of the action, object
select e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_email, e.impersonation_session_id, e.action, e.object_id,
  e.changed, e.shown::text as shown, e.matches, e.ends_scan
from (
  select e.*, row_number() over (order by e.occurred_at desc, e.id desc) = 2000 as ends_scan,
    case when $7::text is null then true else starts_with(e.action, $7) end
    and case when $8::uuid is null then true else e.object_id = $8 end as matches
  from (
    select * from robnu.audit_events e
    where e.actor_id = $6
      and (e.occurred_at, e.id) < ($1, $2) and (e.occurred_at, e.id) > ($3, $4)
    order by e.occurred_at desc, e.id desc
    limit 2000
  ) e
) e
where e.matches or e.ends_scan
order by e.occurred_at desc, e.id desc
limit $5

-- What was done to one object, newest first.
-- Looks at 2,000 rows at most: the last of these comes as well, with ends_scan, whether it matches or not.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: actor, beginning of the action, object, not before, before
select e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_email, e.impersonation_session_id, e.action, e.object_id,
  e.changed, e.shown::text as shown, e.matches, e.ends_scan
from (
  select e.*, row_number() over (order by e.occurred_at desc, e.id desc) = 2000 as ends_scan,
    case when $4::uuid is null then true else e.actor_id = $4 end
    and case when $5::text is null then true else starts_with(e.action, $5) end as matches
  from (
    select * from robnu.audit_events e
    where e.object_id = $6
      and (e.occurred_at, e.id) < (least($1, $8::timestamptz), case when $8 <= $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
      and (e.occurred_at, e.id) >= (case when $7::timestamptz is null then '-infinity' else $7 end, '00000000-0000-0000-0000-000000000000'::uuid)
    order by e.occurred_at desc, e.id desc
    limit 2000
  ) e
) e
where e.matches or e.ends_scan
order by e.occurred_at desc, e.id desc
limit $3

-- The audit events of the actions that begin with a text, newest first. The actions are found first, with one index jump for
-- each; there are only as many as the migrations name.
-- Looks at 2,000 rows at most, shared by the kinds; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: actor, beginning of the action, object
with recursive kinds (action) as (
  (select e.action from robnu.audit_events e where e.action collate "C" >= $7 order by e.action collate "C" limit 1)
  union all
  select (select e.action from robnu.audit_events e where e.action collate "C" > k.action order by e.action collate "C" limit 1)
  from kinds k
  where starts_with(k.action, $7)
), chosen as materialized (
  select action, least(case when $6::uuid is null and $8::uuid is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from kinds
  where starts_with(action, $7)
)
select e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_email, e.impersonation_session_id, e.action, e.object_id,
  e.changed, e.shown::text as shown, e.matches, e.place = e.depth as ends_scan
from (
  select e.*, chosen.depth, row_number() over (order by e.occurred_at desc, e.id desc) as place,
    case when $6::uuid is null then true else e.actor_id = $6 end
    and case when $8::uuid is null then true else e.object_id = $8 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.audit_events e
      where e.action collate "C" = chosen.action and (e.occurred_at, e.id) < ($1, $2) and (e.occurred_at, e.id) > ($3, $4)
      order by e.occurred_at desc, e.id desc
      limit 2000
    ) nearest
    limit chosen.depth
  ) e
) e
where e.place <= e.depth and (e.matches or e.place = e.depth)
order by e.occurred_at desc, e.id desc
limit $5

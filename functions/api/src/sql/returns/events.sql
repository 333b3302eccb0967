-- The newest 200 events of one return, in the order in which they happened, each with the number of all events, counted up
-- to 10,000. $1 return
select event, from_status, to_status, condition, condition_reason, condition_quantity, actor_kind, actor_id, impersonation_session_id, occurred_at,
  (select count(*) from (select from robnu.return_events where return_id = $1 limit 10000) counted) as total
from (
  select id, event, from_status, to_status, condition, condition_reason, condition_quantity, actor_kind, actor_id, impersonation_session_id, occurred_at
  from robnu.return_events
  where return_id = $1
  order by id desc
  limit 200
) newest
order by id

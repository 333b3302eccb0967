-- The newest 200 steps of one claim, in the order in which they happened, each with the number of all steps, counted up to
-- 10,000. $1 claim
select from_status, to_status, reason, recovered_amount, actor_kind, actor_id, impersonation_session_id, occurred_at,
  (select count(*) from (select from robnu.claim_events where claim_id = $1 limit 10000) counted) as total
from (
  select id, from_status, to_status, reason, recovered_amount, actor_kind, actor_id, impersonation_session_id, occurred_at
  from robnu.claim_events
  where claim_id = $1
  order by id desc
  limit 200
) newest
order by id

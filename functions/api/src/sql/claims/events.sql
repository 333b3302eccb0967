-- The steps of one claim, first ones first: the newest 200, each with how many there are in all, 10,000 at most. $1 claim
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

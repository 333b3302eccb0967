-- The steps of one claim, first ones first. $1 claim
select from_status, to_status, reason, recovered_amount, actor_kind, actor_id, impersonation_session_id, occurred_at
from robnu.claim_events
where claim_id = $1
order by id

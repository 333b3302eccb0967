-- What happened to one return, first things first. $1 return
select event, from_status, to_status, actor_kind, actor_id, impersonation_session_id, occurred_at
from robnu.return_events
where return_id = $1
order by id

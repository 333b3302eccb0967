-- Live sessions before a session, newest first. Sessions older than nine hours are over, because a session lasts eight hours
-- at most.
-- $1 session, $2 how many
select i.id, i.seller_id, s.name as seller_name, i.staff_id, i.reason, i.role, i.started_at, i.expires_at,
  exists (select from robnu.staff a where a.id = i.staff_id and a.subject = robnu.app_current_subject()) as is_yours
from robnu.impersonation_sessions i
join robnu.sellers s on s.seller_id = i.seller_id
where i.id < $1 and i.id > (select uuidv7(interval '-9 hours')) and i.ended_at is null and i.expires_at > now()
order by i.id desc
limit $2

-- Opens a session for the staff member of the scope; returns no row when the seller does not exist.
-- $1 seller, $2 reason, $3 role, $4 minutes
insert into robnu.impersonation_sessions (seller_id, staff_id, reason, role, expires_at)
select s.seller_id, a.id, $2, $3, now() + make_interval(mins => $4)
from robnu.sellers s, robnu.staff a
where s.seller_id = $1 and a.subject = robnu.app_current_subject() and a.removed_at is null
returning id, seller_id, staff_id, reason, role, started_at, expires_at, true as is_yours,
  (select s.name from robnu.sellers s where s.seller_id = $1) as seller_name

-- Whose a session is, and whether it has ended. $1 session
select i.staff_id in (select a.id from robnu.staff a where a.subject = robnu.app_current_subject()) as is_yours
from robnu.impersonation_sessions i
where i.id = $1

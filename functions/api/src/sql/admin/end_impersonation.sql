-- Ends a session of the staff member of the scope. $1 session
update robnu.impersonation_sessions
set ended_at = now()
where id = $1 and ended_at is null
  and staff_id in (select a.id from robnu.staff a where a.subject = robnu.app_current_subject())
returning id

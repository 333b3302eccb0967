-- Ends a session of the super admin of the scope. $1 session
update robnu.impersonation_sessions
set ended_at = now()
where id = $1 and ended_at is null
  and super_admin_id in (select a.id from robnu.super_admins a where a.subject = robnu.app_current_subject())
returning id

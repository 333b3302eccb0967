-- The seller of the scope, and the caller's role in it: a member's own role, or for a staff member the session's.
select s.seller_id, s.name, s.suspended_at, s.suspension_reason, s.closing_asked_at, s.closes_at, s.closing_reason, s.version, s.created_at,
  coalesce(m.role, i.role) as role, coalesce(m.scan_returns, false) as scan_returns
from robnu.sellers s
left join robnu.people p on p.subject = robnu.app_current_subject()
left join robnu.members m on m.seller_id = s.seller_id and m.person_id = p.id
left join robnu.impersonation_sessions i
  on i.seller_id = s.seller_id and i.id = nullif(current_setting('app.impersonation_session', true), '')::uuid

-- One member. $1 member
select m.id, m.person_id, p.email, m.role, m.scan_returns, m.version, m.created_at,
  p.subject = robnu.app_current_subject() as is_you
from robnu.members m
join robnu.people p on p.id = m.person_id
where m.id = $1

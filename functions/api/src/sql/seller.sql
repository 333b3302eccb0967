-- The seller of the scope, and what the person who asks is in it; nothing for staff who act for it.
select s.seller_id, s.name, s.version, s.created_at, m.role, coalesce(m.scan_returns, false) as scan_returns
from robnu.sellers s
left join robnu.members m on m.person_id = (
  select id from robnu.people where subject = robnu.app_current_subject()
)

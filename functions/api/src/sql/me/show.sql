-- The person of the scope with their memberships, and whether they are staff. Without memberships there is one row without a
-- seller; before sign-up it has no person either.
select p.id as person_id, p.email, s.seller_id, s.name, m.role, m.scan_returns, s.suspended_at is not null as is_suspended,
  exists (select from robnu.staff a where a.subject = who.subject and a.removed_at is null) as is_staff
from (select robnu.app_current_subject() as subject) who
left join robnu.people p on p.subject = who.subject
left join robnu.members m on m.person_id = p.id
left join robnu.sellers s on s.seller_id = m.seller_id
order by s.name, s.seller_id

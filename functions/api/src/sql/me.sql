-- The person of the scope with their memberships; one row without a seller when there are none, no row before sign-up.
select p.id as person_id, p.email, s.seller_id, s.name, m.role, m.scan_returns
from robnu.people p
left join robnu.members m on m.person_id = p.id
left join robnu.sellers s on s.seller_id = m.seller_id
order by s.name, s.seller_id

-- The seller of the scope and the role of the person who asks; policies let a person see only their own row of people.
select s.seller_id, s.name, s.created_at, m.role
from robnu.sellers s
join robnu.members m on m.seller_id = s.seller_id
join robnu.people p on p.id = m.person_id

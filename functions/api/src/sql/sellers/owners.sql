-- Whom to tell that the seller is to be closed: its owners' addresses, with the seller's name and the address of the person of the
-- scope. The oldest 50 of them.
select s.name as seller_name, asker.email as asker, owner.email as owner, s.closes_at
from robnu.sellers s
join robnu.people asker on asker.subject = robnu.app_current_subject()
join robnu.members m on m.seller_id = s.seller_id and m.role = 'OWNER'
join robnu.people owner on owner.id = m.person_id
order by m.id
limit 50

-- The inviter: the seller's name and the member's email address. Locks the seller, so that concurrent inviters count each
-- other's invitations.
select s.name as seller_name, p.email as inviter
from robnu.sellers s
join robnu.people p on p.subject = robnu.app_current_subject()
for no key update of s

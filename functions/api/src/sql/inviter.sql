-- Who invites: the seller's name and, of a member, their email. Holds the seller, so that those who invite at the same time
-- count each other's invitations.
select s.name as seller_name, (select p.email from robnu.people p where p.subject = robnu.app_current_subject()) as inviter
from robnu.sellers s
for no key update of s

-- The person of the scope becomes a member; no row when anything about the token is wrong. $1 the token's hash, $2 their email
select seller, seller_name, member_role, scans
from robnu.accept_invitation($1, $2)

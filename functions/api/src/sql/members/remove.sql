-- Removes a member, unless the member's version differs or the actor's role does not reach the member.
-- $1 member, $2 version or null
select id from robnu.remove_member($1, $2) as removed (id)

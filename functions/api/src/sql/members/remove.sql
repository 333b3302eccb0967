-- Removes a member, unless they have another version than expected or are out of the actor's reach.
-- $1 member, $2 version or null
select id from robnu.remove_member($1, $2) as removed (id)

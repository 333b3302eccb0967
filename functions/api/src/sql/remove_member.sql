-- Removes a member, unless they have another version than expected or are out of the actor's reach.
-- $1 member, $2 version or null
delete from robnu.members
where id = $1 and ($2::integer is null or version = $2)
returning id

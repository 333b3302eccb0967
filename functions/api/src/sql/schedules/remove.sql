-- Removes a schedule. $1 account, $2 kind, $3 version that the client has read, or null
select id from robnu.remove_schedule($1, $2, $3) as removed (id)

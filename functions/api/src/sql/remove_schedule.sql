-- Removes a schedule. $1 account, $2 kind, $3 version that the client has seen, or null
delete from robnu.schedules
where account_id = $1 and kind = $2 and ($3::integer is null or version = $3)
returning id

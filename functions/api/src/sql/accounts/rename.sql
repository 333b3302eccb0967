-- Renames an account. $1 account, $2 name, $3 version that the client has read, or null
update robnu.marketplace_accounts
set display_name = $2, updated_at = now()
where id = $1 and ($3::integer is null or version = $3)
returning id

-- Refuses what follows when an account has another version than the client has seen. $1 account, $2 version
select robnu.hold_account_version($1, $2)

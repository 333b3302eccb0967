-- Stops the transaction when the account's version differs from the one that the client has read. $1 account, $2 version
select robnu.hold_account_version($1, $2)

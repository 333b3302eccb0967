-- Deletes the secrets of a disconnected account, and does nothing otherwise. $1 account
select robnu.forget_credentials($1)

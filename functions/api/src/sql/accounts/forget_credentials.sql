-- Wipes the secrets of an account that is disconnected, and does nothing otherwise. $1 account
select robnu.forget_credentials($1)

-- How an account stands. $1 account
select status
from robnu.marketplace_accounts
where id = $1

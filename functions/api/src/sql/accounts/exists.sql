-- Whether the seller has an account. $1 account
select id
from robnu.marketplace_accounts
where id = $1

-- Why a schedule could not be set: whether the account is there, connected, and of a marketplace that can do it. $1 account, $2 kind
select a.status, $2 = any (m.capabilities) as is_supported
from robnu.marketplace_accounts a
join robnu.marketplaces m on m.code = a.marketplace_code
where a.id = $1

-- Why a schedule could not be set: whether the account exists, is connected, and is of a marketplace that supports the kind.
-- $1 account, $2 kind
select a.status, coalesce(k.support, 'NOT_YET') as support, k.reason
from robnu.marketplace_accounts a
left join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.kind = $2
where a.id = $1

-- What replacing an account's credentials needs to know: the marketplace, how it stands, and the seller's newest data key. $1 account
select a.marketplace_code, m.status, k.id as key_id, k.wrapped_key
from robnu.marketplace_accounts a join robnu.marketplaces m on m.code = a.marketplace_code
left join (
  select id, wrapped_key from robnu.seller_keys order by id desc limit 1
) k on true
where a.id = $1

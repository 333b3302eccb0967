-- Uses up the state that came back, and reads what storing the consent needs to know: what was asked for, how
-- its marketplace stands, and the seller's
-- newest data key. $1 hash of the state, $2 hash of the request's idempotency key, or null
select u.marketplace_code, u.external_account_id, u.display_name, u.account_id, m.status, m.orders_every_minutes, k.id as key_id, k.wrapped_key
from robnu.use_authorization($1, $2) u
join robnu.marketplaces m on m.code = u.marketplace_code
left join (
  select id, wrapped_key from robnu.seller_keys order by id desc limit 1
) k on true

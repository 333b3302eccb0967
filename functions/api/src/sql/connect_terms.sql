-- What connecting an account needs to know: the marketplace and the seller's data key. $1 marketplace code
select m.status, m.orders_every_minutes, k.id as key_id, k.wrapped_key
from robnu.marketplaces m
left join robnu.seller_keys k on true
where m.code = $1

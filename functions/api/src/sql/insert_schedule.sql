-- Reads orders from now on, the first time at once, where the marketplace's adapter can. $1 seller, $2 account, $3 minutes between runs
insert into robnu.schedules (seller_id, account_id, kind, every_minutes)
select $1, a.id, 'ORDERS', $3
from robnu.marketplace_accounts a
join robnu.marketplaces m on m.code = a.marketplace_code and 'ORDERS' = any (m.capabilities)
where a.id = $2

-- Reads orders from now on, the first time at once. $1 seller, $2 account, $3 minutes between runs
insert into robnu.schedules (seller_id, account_id, kind, every_minutes)
values ($1, $2, 'ORDERS', $3)

-- The present generations of accounts' lanes. Accounts that do not exist are left out. $1 accounts
select id, lane_generation from robnu.marketplace_accounts where id = any ($1)

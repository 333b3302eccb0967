-- A new account; its lane is requested by default. $1 seller, $2 account, $3 marketplace code, $4 its id there, $5 name
insert into robnu.marketplace_accounts (seller_id, id, marketplace_code, external_account_id, display_name, verified_at)
values ($1, $2, $3, $4, $5, now())

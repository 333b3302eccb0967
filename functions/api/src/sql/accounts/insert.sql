-- A new account; its lane is requested by default. $1 seller, $2 account, $3 marketplace code, $4 its id there, $5 name, $6
-- who confirmed the id, $7 whether the marketplace accepted its credentials
insert into robnu.marketplace_accounts (seller_id, id, marketplace_code, external_account_id, display_name, external_account_id_source, verified_at)
values ($1, $2, $3, $4, $5, $6, case when $7 then now() end)

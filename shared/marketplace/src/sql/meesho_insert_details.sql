-- Stores how to sign in to Meesho for an account.
-- $1 seller, $2 account, $3 … supplier id, encrypted API key, encrypted API secret; the last two may be null
insert into robnu.meesho_account_details (seller_id, account_id, supplier_id, api_key_enc, api_secret_enc)
values ($1, $2, $3, $4, $5)

-- Stores how to sign in to Flipkart for an account.
-- $1 seller, $2 account, $3 … application id, encrypted application secret, encrypted refresh token, location; each may be null
insert into robnu.flipkart_account_details (seller_id, account_id, app_id, app_secret_enc, refresh_token_enc, location_id)
values ($1, $2, $3, $4, $5, $6)

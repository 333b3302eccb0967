-- Stores how to sign in to Amazon.in for an account. $1 seller, $2 account, $3 … client id, encrypted client secret, encrypted refresh token
insert into robnu.amazon_account_details (seller_id, account_id, client_id, client_secret_enc, refresh_token_enc)
values ($1, $2, $3, $4, $5)

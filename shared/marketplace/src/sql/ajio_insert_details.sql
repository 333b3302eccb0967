-- Stores how to sign in to AJIO for an account. $1 seller, $2 account, $3 … username, encrypted password
insert into robnu.ajio_account_details (seller_id, account_id, username, password_enc)
values ($1, $2, $3, $4)

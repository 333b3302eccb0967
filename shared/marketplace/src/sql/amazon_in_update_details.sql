-- Replaces how to sign in to Amazon.in for an account of the current seller.
-- $1 account, $2 … client id, encrypted client secret, encrypted refresh token
select robnu.replace_amazon_account_details($1, $2, $3, $4)

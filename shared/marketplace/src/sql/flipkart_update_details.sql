-- Replaces how to sign in to Flipkart for an account of the current seller.
-- $1 account, $2 … application id, encrypted application secret, encrypted refresh token, location; each may be null
select robnu.replace_flipkart_account_details($1, $2, $3, $4, $5)

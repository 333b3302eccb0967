-- Reads how to sign in to Amazon.in for an account. $1 account
select client_id, client_secret_enc, refresh_token_enc
from robnu.amazon_account_details
where account_id = $1

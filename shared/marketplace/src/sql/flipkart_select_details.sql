-- Reads how to sign in to Flipkart for an account. $1 account
select app_id, app_secret_enc, refresh_token_enc, location_id
from robnu.flipkart_account_details
where account_id = $1

-- Reads how to sign in to Meesho for an account. $1 account
select supplier_id, api_key_enc, api_secret_enc
from robnu.meesho_account_details
where account_id = $1

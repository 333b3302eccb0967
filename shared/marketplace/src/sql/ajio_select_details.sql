-- Reads how to sign in to AJIO for an account. $1 account
select username, password_enc
from robnu.ajio_account_details
where account_id = $1

-- The stored access token of the account whose credentials the transaction has opened, unless it has expired. $1 account
select credentials_generation, token_id, token_enc,
  extract(epoch from now() - issued_at)::double precision as age,
  extract(epoch from renew_at - now())::double precision as renew_in,
  extract(epoch from expires_at - now())::double precision as expires_in
from robnu.access_tokens
where account_id = $1 and account_id = robnu.app_opened_account() and expires_at > now()

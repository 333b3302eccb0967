-- Stores the token of a check, which asks whatever is stored, as long as its credentials are the account's and the account is connected. A renewal that is under way
-- stores nothing then. $1 account, $2 generation of the job's credentials, $3 the token's id, $4 ciphertext, $5 seconds until the next
-- renewal, $6 seconds until it expires
insert into robnu.access_tokens as t
  (seller_id, account_id, credentials_generation, token_id, token_enc, issued_at, renew_at, expires_at)
select a.seller_id, a.id, $2, $3, $4, now(), now() + make_interval(secs => $5), now() + make_interval(secs => $6)
from robnu.marketplace_accounts a
where a.id = $1 and a.credentials_generation = $2 and a.status <> 'DISCONNECTED'
for share of a
on conflict (seller_id, account_id) do update
set credentials_generation = excluded.credentials_generation, token_id = excluded.token_id, token_enc = excluded.token_enc,
  issued_at = excluded.issued_at, renew_at = excluded.renew_at, expires_at = excluded.expires_at,
  renewal_id = null, renewal_until = null, failure = null, failed_until = null
where t.credentials_generation <= excluded.credentials_generation

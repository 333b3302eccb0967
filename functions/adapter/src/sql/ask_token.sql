-- Takes the lease of the renewal of an account's token when the token is missing, old or refused and nobody else renews it, and returns
-- what was there before: the token, another one's lease and the last failure. Nobody waits for a lease here. A disconnected account gets none:
-- the lock on its row makes this wait for a disconnection that is about to delete the token.
-- $1 account, $2 generation of the job's credentials, $3 the token that the marketplace refused or null, $4 id of a new renewal,
-- $5 its lease in seconds
with taken as (
  insert into robnu.access_tokens as t (seller_id, account_id, credentials_generation, renewal_id, renewal_until)
  select a.seller_id, a.id, $2, $4, now() + make_interval(secs => $5)
  from robnu.marketplace_accounts a
  where a.id = $1 and a.credentials_generation = $2 and a.status <> 'DISCONNECTED'
    -- Whoever sees that it is not their turn does not lock the row.
    and not exists (
      select from robnu.access_tokens t
      where t.account_id = $1 and t.credentials_generation = $2
        and (t.renewal_until > now() or t.failed_until > now() or (t.renew_at > now() and t.token_id is distinct from $3)))
  for share of a
  on conflict (seller_id, account_id) do update
  set credentials_generation = $2, renewal_id = $4, renewal_until = now() + make_interval(secs => $5), failure = null, failed_until = null,
    -- A token of older credentials goes.
    token_id = case when t.credentials_generation = $2 then t.token_id end,
    token_enc = case when t.credentials_generation = $2 then t.token_enc end,
    issued_at = case when t.credentials_generation = $2 then t.issued_at end,
    renew_at = case when t.credentials_generation = $2 then t.renew_at end,
    expires_at = case when t.credentials_generation = $2 then t.expires_at end
  -- The same conditions, for the row as it is now that it is locked.
  where t.credentials_generation < $2
    or (t.credentials_generation = $2 and coalesce(t.renewal_until <= now(), true) and coalesce(t.failed_until <= now(), true)
      and (coalesce(t.renew_at <= now(), true) or t.token_id = $3))
  returning t.account_id
)
select exists (select from taken) as is_taken, a.credentials_generation = $2 and a.status <> 'DISCONNECTED' as is_current,
  living.token_id, living.token_enc,
  extract(epoch from now() - living.issued_at)::double precision as age,
  extract(epoch from living.renew_at - now())::double precision as renew_in,
  extract(epoch from living.expires_at - now())::double precision as expires_in,
  coalesce(extract(epoch from t.renewal_until - now())::double precision, 0) as lease_left,
  case when t.failed_until > now() then t.failure end as failure,
  extract(epoch from t.failed_until - now())::double precision as failed_for
from robnu.marketplace_accounts a
left join robnu.access_tokens t on t.seller_id = a.seller_id and t.account_id = a.id and t.credentials_generation = $2
left join robnu.access_tokens living on living.seller_id = t.seller_id and living.account_id = t.account_id
  and living.credentials_generation = $2 and living.expires_at > now() and living.token_id is distinct from $3
where a.id = $1

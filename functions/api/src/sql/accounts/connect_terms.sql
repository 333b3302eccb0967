-- Reads what connecting an account needs to know: the marketplace, the seller's newest data key, whether the account is already
-- connected, and for how many seconds the caller must wait. Counts the check that comes next, which is committed before the
-- marketplace is asked; nothing is counted when no account can result. Returns no row when the request was done before.
-- $1 marketplace code, $2 its id there, $3 check, $4 digest of the user name or null, $5 account to be, $6 hash of the request's key or null
with terms as materialized (
  select m.status, k.id as key_id, k.wrapped_key, k.kms_key_id, exists (
      select from robnu.marketplace_accounts a where a.marketplace_code = m.code and a.external_account_id = $2) as is_connected
  from robnu.marketplaces m
  left join (
    select id, wrapped_key, kms_key_id from robnu.seller_keys order by id desc limit 1
  ) k on true
  where m.code = $1 and not exists (
    select from robnu.idempotency_keys i
    where i.key_hash = $6 and i.status is not null and i.created_at > now() - interval '24 hours')
)
select status, key_id, wrapped_key, kms_key_id, is_connected, case when status = 'ACTIVE' and key_id is not null and not is_connected
  then robnu.begin_credential_check($3, $1, $4, $5) end as wait_seconds
from terms

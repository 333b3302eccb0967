-- Deletes consents that are waited for no longer, whether they came or not. $1 rows at most
with old as (
  select ctid from robnu.account_authorizations where expires_at < now() - interval '1 hour'
  limit $1
  for update skip locked
)
delete from robnu.account_authorizations served using old where served.ctid = old.ctid
returning 1

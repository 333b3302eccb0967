-- Uses up the state that came back, and reads what storing the consent needs to know: the account asked for, its
-- marketplace's status, the seller's newest data key and the newest orders of an existing account. Counts the check that
-- comes next, and returns for how many seconds the caller must wait. $1 hash of the state, $2 hash of the request's
-- idempotency key, or null,
-- $3 check, $4 account to be
with terms as materialized (
  select u.marketplace_code, u.external_account_id, u.display_name, u.account_id, m.status, k.id as key_id,
    k.wrapped_key, k.kms_key_id, array(
      select o.external_order_id from robnu.orders o
      where o.account_id = u.account_id and o.placed_at > now() - interval '23 months'
      order by o.placed_at desc, o.id desc limit 3) as newest_orders
  from robnu.use_authorization($1, $2) u
  join robnu.marketplaces m on m.code = u.marketplace_code
  left join (
    select id, wrapped_key, kms_key_id from robnu.seller_keys order by id desc limit 1
  ) k on true
)
select *, case when status = 'ACTIVE' and key_id is not null
  then robnu.begin_credential_check($3, marketplace_code, null, coalesce(account_id, $4)) end as wait_seconds
from terms

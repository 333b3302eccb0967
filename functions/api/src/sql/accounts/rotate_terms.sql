-- Reads what replacing an account's credentials needs to know: the marketplace, its status, the seller's newest data key,
-- the account's version, its newest orders, and for how many seconds the caller must wait. Counts the check that comes next,
-- which is committed before the marketplace is asked; nothing is counted when nothing can be replaced.
-- $1 account, $2 version that the client has read, or null, $3 check, $4 codes of the marketplaces that these details fit,
-- $5 the digests of the user name at each of them, or null
with terms as materialized (
  select a.marketplace_code, m.status, k.id as key_id, k.wrapped_key, k.kms_key_id, a.version, array(
      select o.external_order_id from robnu.orders o
      where o.account_id = a.id and o.placed_at > now() - interval '23 months'
      order by o.placed_at desc, o.id desc limit 3) as newest_orders
  from robnu.marketplace_accounts a join robnu.marketplaces m on m.code = a.marketplace_code
  left join (
    select id, wrapped_key, kms_key_id from robnu.seller_keys order by id desc limit 1
  ) k on true
  where a.id = $1
)
select *, case when status = 'ACTIVE' and key_id is not null and coalesce(version = $2, true) and marketplace_code = any ($4::text[])
  then robnu.begin_credential_check($3, marketplace_code, ($5::bytea[])[array_position($4::text[], marketplace_code)], $1) end as wait_seconds
from terms

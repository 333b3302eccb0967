-- The orders of a page whose customer is new or differs from the stored one, with their ids, to which the ciphertext is bound.
-- An older version of an order never replaces a newer one's customer, and a customer whose time is over is not stored again.
-- To a customer whom the marketplace has named, a file adds no more than a postal code that is missing.
-- $1 account; $2 … arrays, one element per order with a customer: order id, status, stamp, digest of the customer; $6 whether from a file
select p.place::int as place, o.id
from unnest($2::text[], $3::text[], $4::timestamptz[], $5::bytea[]) with ordinality as p (external_order_id, status, stamp, digest, place)
join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
cross join (
  select m.customer_data_days as days
  from robnu.marketplace_accounts a join robnu.marketplaces m on m.code = a.marketplace_code
  where a.id = $1
) kept
left join robnu.order_pii c on c.order_id = o.id
where c.digest is distinct from p.digest
  and not ($6 and c.postal_code_enc is not null
    and num_nonnulls(c.customer_name_enc, c.customer_phone_enc, c.customer_email_enc, c.address_enc) > 0)
  and not robnu.is_older_version(p.status, p.stamp, o.status, o.marketplace_updated_at)
  and o.customer_expired_at is null
  and coalesce(robnu.customer_data_ends_at(kept.days, o.status, o.delivered_at, o.marketplace_updated_at, o.updated_at) >= now(), true)

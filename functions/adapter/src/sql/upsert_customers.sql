-- Stores customers, encrypted. A field that the marketplace withholds stays as it is stored. What a file adds to a customer whom the
-- marketplace has named leaves the digest alone, so that the next sync finds nothing new.
-- $1 … arrays, one element per customer: order, name, phone, email, address, postal code, digest; $8 whether from a file
insert into robnu.order_pii as c (seller_id, order_id, customer_name_enc, customer_phone_enc, customer_email_enc, address_enc,
  postal_code_enc, digest)
select (select robnu.app_current_seller_id()), p.order_id, p.name, p.phone, p.email, p.address, p.postal_code, p.digest
from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[])
  as p (order_id, name, phone, email, address, postal_code, digest)
order by p.order_id
on conflict (seller_id, order_id) do update
set customer_name_enc = coalesce(excluded.customer_name_enc, c.customer_name_enc),
  customer_phone_enc = coalesce(excluded.customer_phone_enc, c.customer_phone_enc),
  customer_email_enc = coalesce(excluded.customer_email_enc, c.customer_email_enc),
  address_enc = coalesce(excluded.address_enc, c.address_enc), postal_code_enc = coalesce(excluded.postal_code_enc, c.postal_code_enc),
  digest = case
    when $8 and num_nonnulls(c.customer_name_enc, c.customer_phone_enc, c.customer_email_enc, c.address_enc) > 0 then c.digest
    else excluded.digest end,
  updated_at = now()

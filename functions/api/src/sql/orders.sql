-- The seller's orders before an order, latest first.
-- $1 when that order was placed, $2 its id, $3 how many, $4 account or null, $5 status or null
select id, account_id, external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by,
  fulfilled_by, payment_method, currency, total_amount, ship_city, ship_postal_code
from robnu.orders
where (placed_at, id) < ($1, $2)
  and ($4::uuid is null or account_id = $4)
  and ($5::text is null or status = $5)
order by placed_at desc, id desc
limit $3

-- One order. $1 order
select id, account_id, external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by,
  fulfilled_by, payment_method, currency, total_amount, ship_city, ship_postal_code
from robnu.orders
where id = $1

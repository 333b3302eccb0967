-- One order. $1 order
select o.id, o.account_id, a.marketplace_code, o.external_order_id, o.status, o.marketplace_status, o.placed_at,
  o.marketplace_updated_at, o.dispatch_by, o.dispatch_after, o.on_hold, o.is_replacement,
  o.fulfilled_by, o.payment_method, o.currency, o.total_amount, o.ship_city,
  o.ship_state, o.ship_postal_prefix, o.notes
from robnu.orders o join robnu.marketplace_accounts a on a.id = o.account_id
where o.id = $1

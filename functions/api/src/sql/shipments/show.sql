-- One shipment. $1 shipment
select s.id, s.order_id, o.account_id, a.marketplace_code, o.external_order_id, s.external_shipment_id, s.status, s.marketplace_status,
  s.carrier, s.tracking_number, s.shipment_type, s.dispatch_after, s.dispatch_by, s.on_hold,
  s.package_count, s.updated_at
from robnu.shipments s
join robnu.orders o on o.id = s.order_id
join robnu.marketplace_accounts a on a.id = o.account_id
where s.id = $1

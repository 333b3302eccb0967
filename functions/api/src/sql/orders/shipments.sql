-- The shipments of one order. $1 order
select id, external_shipment_id, status, marketplace_status, carrier, tracking_number, shipment_type, dispatch_after, dispatch_by, on_hold,
  package_count
from robnu.shipments
where order_id = $1
order by external_shipment_id, id

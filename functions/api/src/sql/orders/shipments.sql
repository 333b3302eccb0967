-- The shipments of one order. $1 order
select id, external_shipment_id, status, marketplace_status, carrier, tracking_number
from robnu.shipments
where order_id = $1
order by external_shipment_id, id

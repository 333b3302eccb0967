-- The seller's shipments, oldest first.
-- $1 where to go on, $2 how many; $3 … filters, each or null: account, marketplace, status, carrier, order, tracking number
select s.id, s.order_id, o.account_id, a.marketplace_code, o.external_order_id, s.external_shipment_id, s.status, s.marketplace_status,
  s.carrier, s.tracking_number, s.updated_at
from robnu.shipments s
join robnu.orders o on o.id = s.order_id
join robnu.marketplace_accounts a on a.id = o.account_id
where s.id > $1
  and ($3::uuid is null or o.account_id = $3) and ($4::text is null or a.marketplace_code = $4)
  and ($5::text is null or s.status = $5) and ($6::text is null or s.carrier = $6) and ($7::uuid is null or s.order_id = $7)
  and ($8::text is null or s.tracking_number = $8)
order by s.id
limit $2

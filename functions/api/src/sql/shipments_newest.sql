-- The seller's shipments, newest first.
-- The outer joins keep the shipments first, in the order of their index.
-- $1 where to go on, $2 how many; $3 … filters, each or null: account, marketplace, status, carrier, order, tracking number
select s.id, s.order_id, o.account_id, a.marketplace_code, o.external_order_id, s.external_shipment_id, s.status, s.marketplace_status,
  s.carrier, s.tracking_number, s.updated_at
from robnu.shipments s
left join robnu.orders o on o.id = s.order_id
left join robnu.marketplace_accounts a on a.id = o.account_id
where s.id < $1
  and case when $3::uuid is null then true else o.account_id = $3 end
  and case when $4::text is null then true else a.marketplace_code = $4 end
  and case when $5::text is null then true else s.status = $5 end
  and case when $6::text is null then true else s.carrier = $6 end
  and case when $7::uuid is null then true else s.order_id = $7 end
  and case when $8::text is null then true else s.tracking_number = $8 end
order by s.id desc
limit $2

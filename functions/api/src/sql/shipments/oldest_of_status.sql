-- The seller's shipments that stand so, oldest first.
-- Looks at 1,000 rows at most: the last of these comes as well, with ends_scan, whether it matches or not.
-- The outer joins keep the shipments first, in the order of their index.
-- $1 where to go on, $2 how many; $3 … filters, each or null: account, marketplace, status, carrier, order, tracking number
select s.id, s.order_id, o.account_id, a.marketplace_code, o.external_order_id, s.external_shipment_id, s.status,
  s.marketplace_status, s.carrier, s.tracking_number, s.updated_at,
  s.matches and case when $3::uuid is null then true else o.account_id = $3 end
    and case when $4::text is null then true else a.marketplace_code = $4 end as matches, s.ends_scan
from (
  select s.*, row_number() over (order by s.id) = 1000 as ends_scan,
    case when $6::text is null then true else s.carrier = $6 end
    and case when $7::uuid is null then true else s.order_id = $7 end
    and case when $8::text is null then true else s.tracking_number = $8 end as matches
  from (
    select * from robnu.shipments s
    where s.status = $5 and s.id > $1
    order by s.id nulls first
    limit 1000
  ) s
) s
left join robnu.orders o on o.id = s.order_id
left join robnu.marketplace_accounts a on a.id = o.account_id
where s.ends_scan or (s.matches and case when $3::uuid is null then true else o.account_id = $3 end
  and case when $4::text is null then true else a.marketplace_code = $4 end)
order by s.id
limit $2

-- The seller's shipments with one tracking number, newest first; last in the reversed statement (both_ways.rs).
-- Looks at 1,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- The outer joins keep the shipments first, in the order of their index.
-- $1 id below which and $2 id above which, $3 how many; $4 … filters, each or null: account, marketplace, status, carrier, order, tracking number
with few as materialized (
  select s.id from robnu.shipments s where s.tracking_number = $9 limit 1000
), rarity as materialized (
  select count(*) < 1000 as is_rare from few
)
select s.id, s.order_id, o.account_id, a.marketplace_code, o.external_order_id, s.external_shipment_id, s.status,
  s.marketplace_status, s.carrier, s.tracking_number, s.shipment_type, s.dispatch_after, s.dispatch_by, s.on_hold,
  s.package_count, s.updated_at,
  s.matches and case when $4::uuid is null then true else o.account_id = $4 end
    and case when $5::text is null then true else a.marketplace_code = $5 end as matches, s.ends_scan
from (
  select s.*, row_number() over (order by s.id desc) = 1000 as ends_scan,
    case when $6::text is null then true else s.status = $6 end
    and case when $7::text is null then true else s.carrier = $7 end
    and case when $8::uuid is null then true else s.order_id = $8 end
    and s.tracking_number = $9 as matches
  from (
    select * from robnu.shipments s
    where (select is_rare from rarity) and s.id in (select id from few) and s.id < $1 and s.id > $2
    union all
    select * from (
      select * from robnu.shipments s
      where not (select is_rare from rarity) and s.id < $1 and s.id > $2
      order by s.id desc
      limit 1000
    ) common
  ) s
) s
left join robnu.orders o on o.id = s.order_id
left join robnu.marketplace_accounts a on a.id = o.account_id
where s.ends_scan or (s.matches and case when $4::uuid is null then true else o.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end)
order by s.id desc
limit $3

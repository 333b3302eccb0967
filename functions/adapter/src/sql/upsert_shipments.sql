-- Stores a page's packages; equal rows are not touched. A package that another one has replaced is withdrawn: it keeps the
-- marketplace's last data, but is neither pending nor shown as on its way.
-- $1 account; $2 … arrays, one element per package: its order's id, status and stamp, then its own columns
with page as (
  select *
  from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::int[])
    as p (external_order_id, order_status, order_updated_at, external_shipment_id, status, marketplace_status, carrier, tracking_number,
      shipment_type, dispatch_after, dispatch_by, on_hold, package_count)
), merged as (
  select s.id as stored_id, o.id as order_id, p.external_shipment_id, p.status,
    coalesce(p.marketplace_status, s.marketplace_status) as marketplace_status, coalesce(p.carrier, s.carrier) as carrier,
    coalesce(p.tracking_number, s.tracking_number) as tracking_number, coalesce(p.shipment_type, s.shipment_type) as shipment_type,
    p.dispatch_after, coalesce(p.dispatch_by, s.dispatch_by) as dispatch_by, p.on_hold,
    coalesce(p.package_count, s.package_count) as package_count,
    (s.status, s.marketplace_status, s.carrier, s.tracking_number, s.shipment_type, s.dispatch_after, s.dispatch_by, s.on_hold,
      s.package_count) as stored
  from page p
  join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
  left join robnu.shipments s on s.order_id = o.id and s.external_shipment_id = p.external_shipment_id
  where not robnu.is_older_version(p.order_status, p.order_updated_at, o.status, o.marketplace_updated_at)
), withdrawn as (
  update robnu.shipments s
  set status = 'WITHDRAWN', updated_at = now()
  where s.order_id in (select order_id from merged) and s.status <> 'WITHDRAWN'
    and (s.order_id, s.external_shipment_id) not in (select order_id, external_shipment_id from merged)
)
insert into robnu.shipments as s (seller_id, order_id, external_shipment_id, status, marketplace_status, carrier, tracking_number,
  shipment_type, dispatch_after, dispatch_by, on_hold, package_count)
select (select robnu.app_current_seller_id()), m.order_id, m.external_shipment_id, m.status, m.marketplace_status, m.carrier,
  m.tracking_number, m.shipment_type, m.dispatch_after, m.dispatch_by, m.on_hold, m.package_count
from merged m
where m.stored_id is null
  or m.stored is distinct from (m.status, m.marketplace_status, m.carrier, m.tracking_number, m.shipment_type, m.dispatch_after,
    m.dispatch_by, m.on_hold, m.package_count)
order by m.order_id, m.external_shipment_id
on conflict (seller_id, order_id, external_shipment_id) do update
set status = excluded.status, marketplace_status = excluded.marketplace_status, carrier = excluded.carrier,
  tracking_number = excluded.tracking_number, shipment_type = excluded.shipment_type, dispatch_after = excluded.dispatch_after,
  dispatch_by = excluded.dispatch_by, on_hold = excluded.on_hold, package_count = excluded.package_count, updated_at = now()
where (s.status, s.marketplace_status, s.carrier, s.tracking_number, s.shipment_type, s.dispatch_after, s.dispatch_by, s.on_hold,
    s.package_count)
  is distinct from (excluded.status, excluded.marketplace_status, excluded.carrier, excluded.tracking_number,
    excluded.shipment_type, excluded.dispatch_after, excluded.dispatch_by, excluded.on_hold, excluded.package_count)

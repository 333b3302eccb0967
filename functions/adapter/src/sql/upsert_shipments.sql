-- Stores a page's packages; equal rows are not touched.
-- $1 account; $2 … arrays, one element per package: its order's id, then its own columns
with page as (
  select *
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    as p (external_order_id, external_shipment_id, status, marketplace_status, carrier, tracking_number)
), merged as (
  select s.id as stored_id, o.id as order_id, p.external_shipment_id, p.status,
    coalesce(p.marketplace_status, s.marketplace_status) as marketplace_status, coalesce(p.carrier, s.carrier) as carrier,
    coalesce(p.tracking_number, s.tracking_number) as tracking_number,
    (s.status, s.marketplace_status, s.carrier, s.tracking_number) as stored
  from page p
  join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
  left join robnu.shipments s on s.order_id = o.id and s.external_shipment_id = p.external_shipment_id
)
insert into robnu.shipments as s (seller_id, order_id, external_shipment_id, status, marketplace_status, carrier, tracking_number)
select (select robnu.app_current_seller_id()), m.order_id, m.external_shipment_id, m.status, m.marketplace_status, m.carrier,
  m.tracking_number
from merged m
where m.stored_id is null or m.stored is distinct from (m.status, m.marketplace_status, m.carrier, m.tracking_number)
order by m.order_id, m.external_shipment_id
on conflict (seller_id, order_id, external_shipment_id) do update
set status = excluded.status, marketplace_status = excluded.marketplace_status, carrier = excluded.carrier,
  tracking_number = excluded.tracking_number, updated_at = now()
where (s.status, s.marketplace_status, s.carrier, s.tracking_number)
  is distinct from (excluded.status, excluded.marketplace_status, excluded.carrier, excluded.tracking_number)

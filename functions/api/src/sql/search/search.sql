-- Orders, shipments, returns and records that were set aside whose number begins with a text, exact matches first. $1
-- beginning, $2 how many of each kind
with hits as (
  (select 'ORDER' as kind, o.id, o.id as order_id, o.account_id, 'external_order_id' as field, o.external_order_id as value, o.status
   from robnu.orders o where o.external_order_id ~>=~ $1 and o.external_order_id ~<~ ($1 || chr(1114111)) order by o.external_order_id using ~<~ limit $2)
  union all
  (select 'SHIPMENT', s.id, s.order_id, null, 'tracking_number', s.tracking_number, s.status
   from robnu.shipments s where s.tracking_number ~>=~ $1 and s.tracking_number ~<~ ($1 || chr(1114111)) order by s.tracking_number using ~<~ limit $2)
  union all
  (select 'SHIPMENT', s.id, s.order_id, null, 'external_shipment_id', s.external_shipment_id, s.status
   from robnu.shipments s where s.external_shipment_id ~>=~ $1 and s.external_shipment_id ~<~ ($1 || chr(1114111)) order by s.external_shipment_id using ~<~ limit $2)
  union all
  (select 'RETURN', r.id, r.order_id, r.account_id, 'external_return_id', r.external_return_id, r.status
   from robnu.returns r where r.external_return_id ~>=~ $1 and r.external_return_id ~<~ ($1 || chr(1114111)) order by r.external_return_id using ~<~ limit $2)
  union all
  (select 'RETURN', r.id, r.order_id, r.account_id, 'tracking_number', r.tracking_number, r.status
   from robnu.returns r where r.tracking_number ~>=~ $1 and r.tracking_number ~<~ ($1 || chr(1114111)) order by r.tracking_number using ~<~ limit $2)
  union all
  (select 'RETURN', r.id, r.order_id, r.account_id, 'external_order_id', r.external_order_id, r.status
   from robnu.returns r where r.external_order_id ~>=~ $1 and r.external_order_id ~<~ ($1 || chr(1114111)) order by r.external_order_id using ~<~ limit $2)
  union all
  (select 'RETURN', r.id, r.order_id, r.account_id, 'external_shipment_id', r.external_shipment_id, r.status
   from robnu.returns r where r.external_shipment_id ~>=~ $1 and r.external_shipment_id ~<~ ($1 || chr(1114111)) order by r.external_shipment_id using ~<~ limit $2)
  union all
  (select 'QUARANTINED', q.id, null, q.account_id, 'external_id', q.external_id, 'QUARANTINED'
   from robnu.quarantined_records q where q.external_id ~>=~ $1 and q.external_id ~<~ ($1 || chr(1114111)) order by q.external_id using ~<~ limit $2)
)
select h.kind, h.id, h.order_id, coalesce(h.account_id, o.account_id) as account_id, a.marketplace_code, h.field, h.value, h.status,
  h.value = $1 as exact
from hits h
left join robnu.orders o on h.kind = 'SHIPMENT' and o.id = h.order_id
join robnu.marketplace_accounts a on a.id = coalesce(h.account_id, o.account_id)
order by h.value <> $1, h.value using ~<~, h.kind, h.id

-- The returns that a scanned code matches, at most 200, with a row per line; cancelled returns come last.
-- $1 code, $2 return or null, to choose between several
with meant as (
  select r.id
  from robnu.returns_by_code($1) as found (id) join robnu.returns r on r.id = found.id
  where case when $2::uuid is null then true else r.id = $2 end
  order by r.status = 'CANCELLED', r.initiated_at, r.id
  limit 200
)
select r.id, r.account_id, a.marketplace_code, r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id,
  r.return_type, r.status, r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at,
  r.expected_at, r.delivered_at, r.missing_at, r.file_by, r.warned_at, r.received_at, r.received_by, r.condition,
  r.condition_reason, r.condition_quantity,
  i.sku, i.title, i.size, i.quantity
from meant
join robnu.returns r on r.id = meant.id
join robnu.marketplace_accounts a on a.id = r.account_id
left join robnu.return_items i on i.return_id = r.id
order by r.status = 'CANCELLED', r.initiated_at, r.id, i.external_item_id

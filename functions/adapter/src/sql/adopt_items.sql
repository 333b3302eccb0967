-- Gives order lines that a report has numbered by article the marketplace's own ids, once a page states them. The lines of an article
-- within an order are counted by their units and amounts, on the page and in the store alike.
-- $1 account; $2 … arrays, one element per line: its order's id, status and stamp, its id, article, units and amount
with page as (
  select o.id as order_id, p.external_item_id, coalesce(p.sku, '') as sku,
    row_number() over (partition by o.id, coalesce(p.sku, '') order by p.quantity, p.line_amount, p.place) as nth
  from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int[], $8::numeric[])
    with ordinality as p (external_order_id, order_status, order_updated_at, external_item_id, sku, quantity, line_amount, place)
  join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
  where not robnu.is_numbered_here(p.external_item_id)
    and not robnu.is_older_version(p.order_status, p.order_updated_at, o.status, o.marketplace_updated_at)
    and not exists (select from robnu.order_items i where i.order_id = o.id and i.external_item_id = p.external_item_id)
), numbered_here as (
  select i.id, i.order_id, coalesce(i.sku, '') as sku,
    row_number() over (partition by i.order_id, coalesce(i.sku, '') order by i.quantity, i.line_amount, i.external_item_id) as nth
  from robnu.order_items i
  where i.order_id in (select order_id from page) and robnu.is_numbered_here(i.external_item_id)
)
update robnu.order_items i
set external_item_id = page.external_item_id, updated_at = now()
from numbered_here n
join page on page.order_id = n.order_id and page.sku = n.sku and page.nth = n.nth
where i.id = n.id

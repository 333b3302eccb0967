-- Gives lines of returns that a report has numbered by article the marketplace's own ids, once a page states them. The lines of an
-- article within a return are counted by their units, on the page and in the store alike.
-- $1 account; $2 … arrays, one element per line: its return's id, status and stamp, its id, article and units
with page as (
  select r.id as return_id, p.external_item_id, coalesce(p.sku, '') as sku,
    row_number() over (partition by r.id, coalesce(p.sku, '') order by p.quantity, p.place) as nth
  from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int[])
    with ordinality as p (external_return_id, return_status, return_updated_at, external_item_id, sku, quantity, place)
  join robnu.returns r on r.account_id = $1 and r.external_return_id = p.external_return_id
  where not robnu.is_numbered_here(p.external_item_id)
    and not robnu.is_older_return(p.return_status, p.return_updated_at, r.status, r.marketplace_updated_at)
    and not exists (select from robnu.return_items i where i.return_id = r.id and i.external_item_id = p.external_item_id)
), numbered_here as (
  select i.id, i.return_id, coalesce(i.sku, '') as sku,
    row_number() over (partition by i.return_id, coalesce(i.sku, '') order by i.quantity, i.external_item_id) as nth
  from robnu.return_items i
  where i.return_id in (select return_id from page) and robnu.is_numbered_here(i.external_item_id)
)
update robnu.return_items i
set external_item_id = page.external_item_id, updated_at = now()
from numbered_here n
join page on page.return_id = n.return_id and page.sku = n.sku and page.nth = n.nth
where i.id = n.id

-- Stores the lines of a page's returns and counts the new and the changed ones; equal rows are not touched. A line that its report
-- numbers by article is the marketplace's own line of that article, as in upsert_items.sql.
-- $1 account; $2 … arrays, one element per line: its return's id, status and stamp, then its own columns
with page as (
  select p.*, robnu.is_numbered_here(p.external_item_id) as is_numbered_here,
    row_number() over (partition by p.external_return_id, coalesce(p.sku, '') order by p.quantity, p.place) as nth
  from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[], $11::int[],
    $12::numeric[], $13::text[])
    with ordinality as p (external_return_id, return_status, return_updated_at, external_item_id, external_order_item_id, sku, title, size,
      quantity, quantity_cancelled, refund_amount, reason, place)
), own as (
  -- The marketplace's own lines of returns whose lines the page's report has numbered.
  select i.return_id, i.external_item_id, coalesce(i.sku, '') as sku,
    row_number() over (partition by i.return_id, coalesce(i.sku, '') order by i.quantity, i.external_item_id) as nth
  from robnu.returns r
  join robnu.return_items i on i.return_id = r.id
  where r.account_id = $1 and r.external_return_id = any (array(select external_return_id from page where is_numbered_here))
    and not robnu.is_numbered_here(i.external_item_id)
), merged as (
  -- Fields that the source leaves out stay as they are.
  select i.id as stored_id, r.id as return_id, coalesce(own.external_item_id, p.external_item_id) as external_item_id,
    coalesce(p.external_order_item_id, i.external_order_item_id) as external_order_item_id, coalesce(p.sku, i.sku) as sku,
    coalesce(p.title, i.title) as title, coalesce(p.size, i.size) as size, p.quantity, p.quantity_cancelled,
    coalesce(p.refund_amount, i.refund_amount) as refund_amount, coalesce(p.reason, i.reason) as reason,
    (i.external_order_item_id, i.sku, i.title, i.size, i.quantity, i.quantity_cancelled, i.refund_amount, i.reason) as stored
  from page p
  join robnu.returns r on r.account_id = $1 and r.external_return_id = p.external_return_id
  left join own on p.is_numbered_here and own.return_id = r.id and own.sku = coalesce(p.sku, '') and own.nth = p.nth
  left join robnu.return_items i on i.return_id = r.id and i.external_item_id = coalesce(own.external_item_id, p.external_item_id)
  where not robnu.is_older_return(p.return_status, p.return_updated_at, r.status, r.marketplace_updated_at)
    and (own.return_id is not null or not p.is_numbered_here or not exists (select from own any_of where any_of.return_id = r.id))
), written as (
  insert into robnu.return_items as i (seller_id, return_id, external_item_id, external_order_item_id, sku, title, size, quantity,
    quantity_cancelled, refund_amount, reason)
  select (select robnu.app_current_seller_id()), m.return_id, m.external_item_id, m.external_order_item_id, m.sku, m.title, m.size, m.quantity,
    m.quantity_cancelled, m.refund_amount, m.reason
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.external_order_item_id, m.sku, m.title, m.size, m.quantity, m.quantity_cancelled, m.refund_amount,
      m.reason)
  order by m.return_id, m.external_item_id
  on conflict (seller_id, return_id, external_item_id) do update
  set order_item_id = case when i.external_order_item_id = excluded.external_order_item_id then i.order_item_id end,
    external_order_item_id = excluded.external_order_item_id, sku = excluded.sku, title = excluded.title, size = excluded.size,
    quantity = excluded.quantity, quantity_cancelled = excluded.quantity_cancelled, refund_amount = excluded.refund_amount,
    reason = excluded.reason, updated_at = now()
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

-- Stores a page's order lines and counts the new and the changed ones; equal rows are not touched. A line of zero units
-- carries no money, unless the marketplace says otherwise. A cancelled order keeps its amounts. A line that its report numbers by
-- article is the marketplace's own line of that article, if there is one; to an order whose lines have ids, a report adds none.
-- $1 account; $2 … arrays, one element per line: its order's id, status and stamp, then its own columns
with page as (
  select p.*, robnu.is_numbered_here(p.external_item_id) as is_numbered_here,
    row_number() over (partition by p.external_order_id, coalesce(p.sku, '') order by p.quantity, p.line_amount, p.place) as nth
  from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[],
    $11::numeric[], $12::text[], $13::numeric[], $14::text[])
    with ordinality as p (external_order_id, order_status, order_updated_at, external_item_id, sku, title, size, quantity, quantity_cancelled,
      line_amount, amount_basis, tax_amount, hsn, place)
), own as (
  -- The marketplace's own lines of orders whose lines the page's report has numbered.
  select i.order_id, i.external_item_id, coalesce(i.sku, '') as sku,
    row_number() over (partition by i.order_id, coalesce(i.sku, '') order by i.quantity, i.line_amount, i.external_item_id) as nth
  from robnu.orders o
  join robnu.order_items i on i.order_id = o.id
  where o.account_id = $1 and o.external_order_id = any (array(select external_order_id from page where is_numbered_here))
    and not robnu.is_numbered_here(i.external_item_id)
), merged as (
  -- Fields that the source leaves out stay as they are. A customer's price, once known, is not replaced by a purchase price.
  select i.id as stored_id, o.id as order_id, coalesce(own.external_item_id, p.external_item_id) as external_item_id, coalesce(p.sku, i.sku) as sku,
    coalesce(p.title, i.title) as title, coalesce(p.size, i.size) as size, p.quantity, p.quantity_cancelled,
    case
      when p.quantity = 0 and coalesce(p.line_amount, 0) = 0 and p.order_status <> 'CANCELLED' then 0
      when i.amount_basis = 'CUSTOMER' and p.amount_basis <> 'CUSTOMER' then i.line_amount
      else coalesce(p.line_amount, i.line_amount, 0)
    end as line_amount,
    case when i.amount_basis = 'CUSTOMER' or p.line_amount is null then coalesce(i.amount_basis, p.amount_basis)
      else p.amount_basis end as amount_basis,
    coalesce(p.tax_amount, i.tax_amount) as tax_amount, coalesce(p.hsn, i.hsn) as hsn,
    (i.sku, i.title, i.size, i.quantity, i.quantity_cancelled, i.line_amount, i.amount_basis, i.tax_amount, i.hsn) as stored
  from page p
  join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
  left join own on p.is_numbered_here and own.order_id = o.id and own.sku = coalesce(p.sku, '') and own.nth = p.nth
  left join robnu.order_items i on i.order_id = o.id and i.external_item_id = coalesce(own.external_item_id, p.external_item_id)
  where not robnu.is_older_version(p.order_status, p.order_updated_at, o.status, o.marketplace_updated_at)
    and (own.order_id is not null or not p.is_numbered_here or not exists (select from own any_of where any_of.order_id = o.id))
), written as (
  insert into robnu.order_items as i (seller_id, order_id, external_item_id, sku, title, size, quantity, quantity_cancelled,
    line_amount, amount_basis, tax_amount, hsn)
  select (select robnu.app_current_seller_id()), m.order_id, m.external_item_id, m.sku, m.title, m.size, m.quantity,
    m.quantity_cancelled, m.line_amount, m.amount_basis, m.tax_amount, m.hsn
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.sku, m.title, m.size, m.quantity, m.quantity_cancelled, m.line_amount, m.amount_basis,
      m.tax_amount, m.hsn)
  order by m.order_id, m.external_item_id
  on conflict (seller_id, order_id, external_item_id) do update
  set sku = excluded.sku, title = excluded.title, size = excluded.size, quantity = excluded.quantity,
    quantity_cancelled = excluded.quantity_cancelled, line_amount = excluded.line_amount,
    amount_basis = excluded.amount_basis, tax_amount = excluded.tax_amount, hsn = excluded.hsn, updated_at = now()
  where (i.sku, i.title, i.size, i.quantity, i.quantity_cancelled, i.line_amount, i.amount_basis, i.tax_amount, i.hsn)
    is distinct from (excluded.sku, excluded.title, excluded.size, excluded.quantity, excluded.quantity_cancelled,
      excluded.line_amount, excluded.amount_basis, excluded.tax_amount, excluded.hsn)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

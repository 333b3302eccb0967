-- Stores a page's orders and counts the new and the changed ones; rows that are equal to what is stored are not touched.
-- An order that has left PENDING never returns to it: a list of open orders may lag behind.
-- $1 account; $2 … arrays, one element per order, ids unique within the page
with page as (
  select *
  from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::text[],
    $9::text[], $10::text[], $11::numeric[], $12::text[], $13::text[])
    as p (external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by,
      payment_method, currency, total_amount, ship_city, ship_postal_code)
), merged as (
  -- What the source does not say stays as it is stored.
  select o.id as stored_id, p.external_order_id, p.status, p.marketplace_status, p.placed_at,
    coalesce(p.marketplace_updated_at, o.marketplace_updated_at) as marketplace_updated_at,
    coalesce(p.dispatch_by, o.dispatch_by) as dispatch_by,
    coalesce(p.fulfilled_by, o.fulfilled_by) as fulfilled_by,
    coalesce(p.payment_method, o.payment_method) as payment_method, p.currency,
    coalesce(p.total_amount, o.total_amount) as total_amount,
    coalesce(p.ship_city, o.ship_city) as ship_city,
    coalesce(p.ship_postal_code, o.ship_postal_code) as ship_postal_code,
    (o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by, o.payment_method,
      o.currency, o.total_amount, o.ship_city, o.ship_postal_code) as stored
  from page p
  left join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
  where o.id is null or p.status <> 'PENDING' or o.status = 'PENDING'
), written as (
  insert into robnu.orders as o (seller_id, account_id, external_order_id, status, marketplace_status, placed_at,
    marketplace_updated_at, dispatch_by, fulfilled_by, payment_method, currency, total_amount, ship_city, ship_postal_code)
  select (select robnu.app_current_seller_id()), $1, m.external_order_id, m.status, m.marketplace_status, m.placed_at,
    m.marketplace_updated_at, m.dispatch_by, m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city,
    m.ship_postal_code
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.status, m.marketplace_status, m.placed_at, m.marketplace_updated_at, m.dispatch_by,
      m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city, m.ship_postal_code)
  order by m.external_order_id
  on conflict (seller_id, account_id, external_order_id) do update
  set status = excluded.status, marketplace_status = excluded.marketplace_status, placed_at = excluded.placed_at,
    marketplace_updated_at = excluded.marketplace_updated_at, dispatch_by = excluded.dispatch_by,
    fulfilled_by = excluded.fulfilled_by, payment_method = excluded.payment_method, currency = excluded.currency,
    total_amount = excluded.total_amount, ship_city = excluded.ship_city, ship_postal_code = excluded.ship_postal_code,
    updated_at = now()
  where (o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by,
      o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_postal_code)
    is distinct from (excluded.status, excluded.marketplace_status, excluded.placed_at, excluded.marketplace_updated_at,
      excluded.dispatch_by, excluded.fulfilled_by, excluded.payment_method, excluded.currency, excluded.total_amount,
      excluded.ship_city, excluded.ship_postal_code)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

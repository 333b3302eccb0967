-- Stores a page's orders and counts the new and the changed ones. Equal rows are not touched, and an older version never
-- replaces a newer one. If the marketplace does not say when it changed an order, a status that goes back is only noted, and
-- is stored when another run reads the same status: a list may lag behind once. A status that is not mapped is null: the
-- order keeps its stored status. What the marketplace says about holding an order back counts as it is read: without a time, it
-- may leave at any time.
-- $1 account, $2 run; $3 … arrays, one element per order, ids unique within the page; notes with a line each
with page as (
  select external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by, payment_method,
    currency, total_amount, ship_city, ship_postal_code, string_to_array(notes, E'\n') as notes, dispatch_after, on_hold, is_replacement
  from unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::text[],
    $10::text[], $11::text[], $12::numeric[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::boolean[], $18::boolean[])
    as p (external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by,
      payment_method, currency, total_amount, ship_city, ship_postal_code, notes, dispatch_after, on_hold, is_replacement)
), known as (
  select p.external_order_id, coalesce(p.status, o.status, 'PENDING') as status, p.marketplace_status, p.placed_at, p.marketplace_updated_at,
    p.dispatch_by, p.fulfilled_by, p.payment_method, p.currency, p.total_amount, p.ship_city, p.ship_postal_code, p.notes,
    p.dispatch_after, p.on_hold, p.is_replacement,
    o as stored, o.id as stored_id,
    robnu.is_older_version(p.status, p.marketplace_updated_at, o.status, o.marketplace_updated_at) as is_older,
    (p.marketplace_updated_at < o.marketplace_updated_at) is null as is_unstamped
  from page p
  left join robnu.orders o on o.account_id = $1 and o.external_order_id = p.external_order_id
), doubted as (
  update robnu.orders o
  set backward_status = k.status, backward_run_id = $2
  from known k
  where o.account_id = $1 and o.id = k.stored_id and k.is_older and k.is_unstamped and o.backward_status is distinct from k.status
), merged as (
  -- Fields that the source leaves out stay as they are stored.
  select k.stored_id, k.external_order_id, k.status, k.marketplace_status, k.placed_at,
    coalesce(k.marketplace_updated_at, (k.stored).marketplace_updated_at) as marketplace_updated_at,
    coalesce(k.dispatch_by, (k.stored).dispatch_by) as dispatch_by,
    coalesce(k.fulfilled_by, (k.stored).fulfilled_by) as fulfilled_by,
    coalesce(k.payment_method, (k.stored).payment_method) as payment_method,
    coalesce(k.currency, (k.stored).currency, 'INR') as currency,
    coalesce(k.total_amount, (k.stored).total_amount) as total_amount,
    coalesce(k.ship_city, (k.stored).ship_city) as ship_city,
    coalesce(k.ship_postal_code, (k.stored).ship_postal_code) as ship_postal_code,
    coalesce(k.notes, '{}') as notes, k.dispatch_after, k.on_hold, k.is_replacement,
    ((k.stored).status, (k.stored).marketplace_status, (k.stored).placed_at, (k.stored).marketplace_updated_at, (k.stored).dispatch_by,
      (k.stored).fulfilled_by, (k.stored).payment_method, (k.stored).currency, (k.stored).total_amount, (k.stored).ship_city,
      (k.stored).ship_postal_code, (k.stored).notes, (k.stored).dispatch_after, (k.stored).on_hold, (k.stored).is_replacement,
      (k.stored).backward_status) as stored
  from known k
  where not k.is_older
    or (k.is_unstamped and (k.stored).backward_status = k.status and (k.stored).backward_run_id <> $2)
), written as (
  insert into robnu.orders as o (seller_id, account_id, external_order_id, status, marketplace_status, placed_at,
    marketplace_updated_at, dispatch_by, fulfilled_by, payment_method, currency, total_amount, ship_city, ship_postal_code, notes,
    dispatch_after, on_hold, is_replacement)
  select (select robnu.app_current_seller_id()), $1, m.external_order_id, m.status, m.marketplace_status, m.placed_at,
    m.marketplace_updated_at, m.dispatch_by, m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city,
    m.ship_postal_code, m.notes, m.dispatch_after, m.on_hold, m.is_replacement
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.status, m.marketplace_status, m.placed_at, m.marketplace_updated_at, m.dispatch_by,
      m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city, m.ship_postal_code, m.notes,
      m.dispatch_after, m.on_hold, m.is_replacement, null::text)
  order by m.external_order_id
  on conflict (seller_id, account_id, external_order_id) do update
  set status = excluded.status, marketplace_status = excluded.marketplace_status, placed_at = excluded.placed_at,
    marketplace_updated_at = excluded.marketplace_updated_at, dispatch_by = excluded.dispatch_by,
    fulfilled_by = excluded.fulfilled_by, payment_method = excluded.payment_method, currency = excluded.currency,
    total_amount = excluded.total_amount, ship_city = excluded.ship_city, ship_postal_code = excluded.ship_postal_code,
    notes = excluded.notes, dispatch_after = excluded.dispatch_after, on_hold = excluded.on_hold,
    is_replacement = excluded.is_replacement, backward_status = null, backward_run_id = null, updated_at = now()
  where (o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by,
      o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_postal_code, o.notes,
      o.dispatch_after, o.on_hold, o.is_replacement, o.backward_status)
    is distinct from (excluded.status, excluded.marketplace_status, excluded.placed_at, excluded.marketplace_updated_at,
      excluded.dispatch_by, excluded.fulfilled_by, excluded.payment_method, excluded.currency, excluded.total_amount,
      excluded.ship_city, excluded.ship_postal_code, excluded.notes, excluded.dispatch_after,
      excluded.on_hold, excluded.is_replacement, null::text)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

-- Stores a page's orders and counts the new and the changed ones. Equal rows are not touched, and an older version never
-- replaces a newer one. If the marketplace does not say when it changed an order, a status that goes back is only noted, and
-- is stored when another run reads the same status: a list may lag behind once. A status that is not mapped is null: the
-- order keeps its stored status. What the marketplace says about holding an order back counts as it is read: without a time, it
-- may leave at any time. Files say nothing about that.
-- $1 account, $2 run; $3 … arrays, one element per order, ids unique within the page; notes with a line each; $20 whether they are from a
-- file, $21 for each, whether its report numbers no lines: such a report does not say what the whole of an order is whose lines are stored
-- with their ids
with page as (
  select external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by, payment_method,
    currency, total_amount, ship_city, ship_state, ship_postal_prefix, string_to_array(notes, E'\n') as notes, dispatch_after, on_hold,
    is_replacement, is_numbered_here
  from unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::text[],
    $10::text[], $11::text[], $12::numeric[], $13::text[], $14::text[], $15::text[], $16::text[], $17::timestamptz[], $18::boolean[],
    $19::boolean[], $21::boolean[])
    as p (external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by,
      payment_method, currency, total_amount, ship_city, ship_state, ship_postal_prefix, notes, dispatch_after, on_hold, is_replacement,
      is_numbered_here)
), known as (
  select p.external_order_id, coalesce(p.status, o.status, 'PENDING') as status, p.marketplace_status, p.placed_at, p.marketplace_updated_at,
    p.dispatch_by, p.fulfilled_by, p.payment_method, p.currency, p.total_amount, p.ship_city, p.ship_state, p.ship_postal_prefix, p.notes,
    p.dispatch_after, p.on_hold, p.is_replacement,
    p.is_numbered_here and exists (
      select from robnu.order_items i where i.order_id = o.id and not robnu.is_numbered_here(i.external_item_id)) as has_own_lines,
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
    case when k.has_own_lines then coalesce((k.stored).total_amount, k.total_amount)
      else coalesce(k.total_amount, (k.stored).total_amount) end as total_amount,
    coalesce(k.ship_city, (k.stored).ship_city) as ship_city,
    coalesce(k.ship_state, (k.stored).ship_state) as ship_state,
    coalesce(k.ship_postal_prefix, (k.stored).ship_postal_prefix) as ship_postal_prefix,
    robnu.merge_notes((k.stored).notes, k.notes, $20) as notes,
    case when $20 then (k.stored).dispatch_after else k.dispatch_after end as dispatch_after,
    case when $20 then coalesce((k.stored).on_hold, k.on_hold) else k.on_hold end as on_hold,
    case when $20 then coalesce((k.stored).is_replacement, k.is_replacement) else k.is_replacement end as is_replacement,
    case when k.status = 'DELIVERED' then least(k.marketplace_updated_at, now()) end as delivered_at,
    ((k.stored).status, (k.stored).marketplace_status, (k.stored).placed_at, (k.stored).marketplace_updated_at, (k.stored).dispatch_by,
      (k.stored).fulfilled_by, (k.stored).payment_method, (k.stored).currency, (k.stored).total_amount, (k.stored).ship_city,
      (k.stored).ship_state, (k.stored).ship_postal_prefix, (k.stored).notes, (k.stored).dispatch_after, (k.stored).on_hold,
      (k.stored).is_replacement, (k.stored).backward_status) as stored
  from known k
  where not k.is_older
    or (k.is_unstamped and (k.stored).backward_status = k.status and (k.stored).backward_run_id <> $2)
), written as (
  insert into robnu.orders as o (seller_id, account_id, external_order_id, status, marketplace_status, placed_at,
    marketplace_updated_at, dispatch_by, fulfilled_by, payment_method, currency, total_amount, ship_city, ship_state,
    ship_postal_prefix, notes, dispatch_after, on_hold, is_replacement, delivered_at)
  select (select robnu.app_current_seller_id()), $1, m.external_order_id, m.status, m.marketplace_status, m.placed_at,
    m.marketplace_updated_at, m.dispatch_by, m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city,
    m.ship_state, m.ship_postal_prefix, m.notes, m.dispatch_after, m.on_hold, m.is_replacement, m.delivered_at
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.status, m.marketplace_status, m.placed_at, m.marketplace_updated_at, m.dispatch_by,
      m.fulfilled_by, m.payment_method, m.currency, m.total_amount, m.ship_city, m.ship_state, m.ship_postal_prefix, m.notes,
      m.dispatch_after, m.on_hold, m.is_replacement, null::text)
  order by m.external_order_id
  on conflict (seller_id, account_id, external_order_id) do update
  set status = excluded.status, marketplace_status = excluded.marketplace_status, placed_at = excluded.placed_at,
    marketplace_updated_at = excluded.marketplace_updated_at, dispatch_by = excluded.dispatch_by,
    fulfilled_by = excluded.fulfilled_by, payment_method = excluded.payment_method, currency = excluded.currency,
    total_amount = excluded.total_amount, ship_city = excluded.ship_city, ship_state = excluded.ship_state,
    ship_postal_prefix = excluded.ship_postal_prefix, notes = excluded.notes,
    dispatch_after = excluded.dispatch_after, on_hold = excluded.on_hold,
    is_replacement = excluded.is_replacement, backward_status = null, backward_run_id = null,
    delivered_at = coalesce(o.delivered_at, excluded.delivered_at), updated_at = now()
  where (o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by,
      o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_state, o.ship_postal_prefix, o.notes,
      o.dispatch_after, o.on_hold, o.is_replacement, o.backward_status)
    is distinct from (excluded.status, excluded.marketplace_status, excluded.placed_at, excluded.marketplace_updated_at,
      excluded.dispatch_by, excluded.fulfilled_by, excluded.payment_method, excluded.currency, excluded.total_amount,
      excluded.ship_city, excluded.ship_state, excluded.ship_postal_prefix, excluded.notes, excluded.dispatch_after,
      excluded.on_hold, excluded.is_replacement, null::text)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

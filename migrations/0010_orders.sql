-- Orders, lines, shipments and customers. These leaf tables know accounts and nothing of any marketplace.
set local role robnu_owner;
set local search_path = robnu;

create table orders (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  external_order_id text not null,
  status text not null check (status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED',
    'SHIPPED', 'DELIVERED', 'UNDELIVERED', 'CANCELLED')),
  marketplace_status text not null,
  placed_at timestamptz not null,
  marketplace_updated_at timestamptz,
  dispatch_by timestamptz,
  -- From when something of it may leave; null: at any time. While it is on hold, nothing that is still to leave may be packed.
  dispatch_after timestamptz,
  on_hold boolean not null default false,
  -- It replaces goods that came back.
  is_replacement boolean not null default false,
  fulfilled_by text check (fulfilled_by in ('SELLER', 'MARKETPLACE')),
  payment_method text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  total_amount numeric(14, 4),
  -- Where it goes, as far as planning needs it: the first three digits of a postal code name a sorting district of some hundred thousand
  -- people. The whole postal code is a customer's datum and is in order_pii.
  ship_city text,
  ship_state text,
  ship_postal_prefix text check (ship_postal_prefix ~ '^[0-9]{3}$'),
  -- Which fields of the order could not be read, and what was wrong with them; never their values.
  notes text[] not null default '{}',
  -- A status that goes backward while the marketplace does not say when it changed the order, and the run that read it. It counts
  -- once another run has read the same.
  backward_status text,
  backward_run_id uuid,
  -- When it was first read as delivered: the marketplace's stamp of that version, or the time of reading where there is none. It never
  -- changes afterwards.
  delivered_at timestamptz,
  -- When its customer was deleted because the marketplace's time was over. No later page stores a customer again.
  customer_expired_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_order_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id)
);
create index orders_by_time on orders (seller_id, placed_at desc, id desc);
create index orders_by_account on orders (seller_id, account_id, placed_at desc, id desc);
-- The account stands before the time, so that one index serves a status alone (its accounts are merged) and a status with an
-- account. NULLS LAST, although there are no nulls: lists of a status ask for that order, which no other index has. Otherwise the
-- planner would read all of a seller's orders by time where most orders of all sellers have that status.
create index orders_by_status on orders (seller_id, status, account_id, placed_at desc nulls last, id desc nulls last);
-- Which orders must be dispatched by when. The partial indexes hold only open orders that the seller dispatches itself.
create index orders_by_dispatch_time on orders (seller_id, dispatch_by, id);
create index orders_to_dispatch on orders (seller_id, dispatch_by, id) include (account_id)
  where status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and fulfilled_by is distinct from 'MARKETPLACE';
create index orders_to_dispatch_undated on orders (seller_id, id) include (account_id)
  where dispatch_by is null and status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and fulfilled_by is distinct from 'MARKETPLACE';
-- People look orders up by a number that they type or scan, whole or by its beginning.
create index orders_by_external_id on orders (seller_id, external_order_id text_pattern_ops);

-- How far an order with this status has come; an order does not go back by itself.
create function order_progress(status text) returns integer
language sql immutable parallel safe
return case status
  when 'PENDING' then 0 when 'CONFIRMED' then 1 when 'PACKED' then 2 when 'READY_TO_DISPATCH' then 3 when 'PARTIALLY_SHIPPED' then 4
  when 'SHIPPED' then 5 when 'DELIVERED' then 6 when 'UNDELIVERED' then 6 when 'CANCELLED' then 7
end;

-- Whether an order as it was read is older than the stored one: by the marketplace's own stamp or, without one, by status.
create function is_older_version(status text, updated_at timestamptz, stored_status text, stored_updated_at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(updated_at < stored_updated_at, order_progress(status) < order_progress(stored_status), false);
grant execute on function order_progress(text), is_older_version(text, timestamptz, text, timestamptz) to robnu_tenant;

-- Until when an order's customer may be kept, if the marketplace permits so many days after delivery; null: without end so far.
-- The clock begins with delivery. An order that was never delivered has it from its last change: a cancelled or undelivered one needs its
-- customer no longer, and a shipped one may have arrived unseen, as parcels that Amazon itself sends do. An open order keeps its customer.
-- The last change is the earlier of the marketplace's stamp and our own: what we store again for reasons of our own, such as a better
-- mapping, does not prolong it, and neither does a stamp in the future.
create function customer_data_ends_at(days integer, status text, delivered_at timestamptz, marketplace_updated_at timestamptz,
  updated_at timestamptz) returns timestamptz
language sql stable parallel safe
return case
  when delivered_at is not null then delivered_at
  when status in ('SHIPPED', 'DELIVERED', 'UNDELIVERED', 'CANCELLED') then least(marketplace_updated_at, updated_at)
end + days * interval '24 hours';
grant execute on function customer_data_ends_at(integer, text, timestamptz, timestamptz, timestamptz) to robnu_tenant;

create table order_items (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  order_id uuid not null,
  external_item_id text not null,
  sku text,
  title text,
  size text,
  quantity integer not null check (quantity >= 0),
  quantity_cancelled integer not null default 0 check (quantity_cancelled >= 0),
  line_amount numeric(14, 4) not null,
  -- CUSTOMER: what the customer pays. PURCHASE: what the marketplace pays the seller, when it states no other amount.
  amount_basis text not null check (amount_basis in ('CUSTOMER', 'PURCHASE')),
  tax_amount numeric(14, 4),
  hsn text,
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, order_id, external_item_id),
  foreign key (seller_id, order_id) references orders (seller_id, id) on delete cascade
);
create index order_items_by_sku on order_items (seller_id, sku, order_id);

create table shipments (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  order_id uuid not null,
  external_shipment_id text not null,
  status text not null,
  marketplace_status text,
  carrier text,
  tracking_number text,
  -- In the marketplace's own word, such as SELF when the seller delivers it.
  shipment_type text,
  -- As in orders.
  dispatch_after timestamptz,
  dispatch_by timestamptz,
  on_hold boolean not null default false,
  -- How many parcels the shipment consists of, if the marketplace says so.
  package_count integer check (package_count > 0),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, order_id, external_shipment_id),
  foreign key (seller_id, order_id) references orders (seller_id, id) on delete cascade
);
create index shipments_by_tracking_number on shipments (seller_id, tracking_number text_pattern_ops);
create index shipments_by_external_id on shipments (seller_id, external_shipment_id text_pattern_ops);
create index shipments_by_status on shipments (seller_id, status, id desc nulls last);

-- The customer of each order. Columns named …_enc hold ciphertext under the seller's data key.
create table order_pii (
  seller_id uuid not null,
  order_id uuid not null,
  customer_name_enc bytea,
  customer_phone_enc bytea,
  customer_email_enc bytea,
  address_enc bytea,
  postal_code_enc bytea,
  -- A digest under the seller's data key. It tells a job that reads the order again whether anything is new.
  digest bytea not null check (length(digest) = 32),
  updated_at timestamptz not null default now(),
  primary key (seller_id, order_id),
  foreign key (seller_id, order_id) references orders (seller_id, id) on delete cascade
);

-- How many orders of an account were placed on an Indian day; usage is computed from it. The triggers below keep it, in the
-- transaction that stores the orders. There is a row per account, so that accounts that are read at the same time do not wait for
-- each other.
create table order_days (
  seller_id uuid not null references sellers (seller_id),
  day date not null,
  account_id uuid not null,
  orders integer not null,
  primary key (seller_id, day, account_id)
) with (fillfactor = 50);
call protect_tenant_table('order_days');
call require_right_to_read('order_days', 'read', 'ingest');
grant select on order_days to robnu_tenant;

-- Counts new orders, with one statement per page whatever its length. SECURITY DEFINER because no scope may write counts of its
-- own making.
create function count_new_orders() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  insert into order_days as d (seller_id, day, account_id, orders)
  select seller_id, (placed_at at time zone 'Asia/Kolkata')::date, account_id, count(*)
  from fresh
  group by 1, 2, 3
  order by 1, 2, 3
  on conflict (seller_id, day, account_id) do update set orders = d.orders + excluded.orders;
  return null;
end $$;
create trigger count_new_orders after insert on orders referencing new table as fresh
  for each statement execute function count_new_orders();
-- Moves counts, because a marketplace may correct when an order was placed. SECURITY DEFINER as above.
create function count_moved_orders() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  insert into order_days as d (seller_id, day, account_id, orders)
  select seller_id, day, account_id, sum(change)
  from (
    select seller_id, (placed_at at time zone 'Asia/Kolkata')::date as day, account_id, 1 as change from fresh
    union all
    select seller_id, (placed_at at time zone 'Asia/Kolkata')::date, account_id, -1 from stale
  ) moved
  group by 1, 2, 3
  having sum(change) <> 0
  order by 1, 2, 3
  on conflict (seller_id, day, account_id) do update set orders = d.orders + excluded.orders;
  return null;
end $$;
create trigger count_moved_orders after update on orders referencing old table as stale new table as fresh
  for each statement execute function count_moved_orders();

-- The order whose customer the transaction has opened.
create function app_opened_customer() returns uuid
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return nullif(current_setting('app.opened_customer', true), '')::uuid;
grant execute on function app_opened_customer() to robnu_tenant;

do $$
declare
  relation regclass;
begin
  foreach relation in array array['orders', 'order_items', 'shipments', 'order_pii']::regclass[] loop
    call protect_tenant_table(relation);
    -- Only a job writes a marketplace's data.
    call require_right_to_write(relation, 'ingest', 'insert', 'update');
  end loop;
end $$;
call require_right_to_read('orders', 'read', 'ingest');
call require_right_to_read('order_items', 'read', 'ingest');
call require_right_to_read('shipments', 'read', 'ingest');
-- A member reads a customer only after open_customer has recorded it; a job reads a customer in order to write it again.
create policy select_needs_right on order_pii as restrictive for select to robnu_tenant
  using ((select app_may('ingest')) or ((select app_may('pii.read')) and order_id = (select app_opened_customer())));

grant select,
  insert (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by,
    fulfilled_by, payment_method, currency, total_amount, ship_city, ship_state, ship_postal_prefix, notes, dispatch_after,
    on_hold, is_replacement, delivered_at),
  update (status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by, payment_method, currency,
    total_amount, ship_city, ship_state, ship_postal_prefix, notes, dispatch_after, on_hold, is_replacement, backward_status, backward_run_id,
    delivered_at, updated_at)
  on orders to robnu_tenant;
grant select,
  insert (seller_id, order_id, external_item_id, sku, title, size, quantity, quantity_cancelled, line_amount, amount_basis, tax_amount, hsn),
  update (external_item_id, sku, title, size, quantity, quantity_cancelled, line_amount, amount_basis, tax_amount, hsn, updated_at)
  on order_items to robnu_tenant;

-- Whether a line's id is a number of ours. Reports number no lines, so `line_id` in shared/marketplace numbers them by article. The
-- marketplace's own id replaces such a number as soon as a page states it.
create function is_numbered_here(external_item_id text) returns boolean
language sql immutable parallel safe
return starts_with(external_item_id, 'file:');
-- The notes of a record after another source was read. A file's notes begin with their row. Reading a file again replaces them, and
-- reading the marketplace again replaces the others.
create function merge_notes(stored text[], given text[], from_file boolean) returns text[]
language sql immutable parallel safe
return (
  select case when from_file then others || coalesce(given, '{}') else coalesce(given, '{}') || others end
  from (select array(select note from unnest(stored) as note where (note ~ '^(sheet .*, )?row [0-9]') <> from_file) as others) o);
grant execute on function is_numbered_here(text), merge_notes(text[], text[], boolean) to robnu_tenant;
-- Removes the lines that a page's orders no longer have, and returns how many. The arguments are the orders with their statuses
-- and stamps, and the lines that they have now. A report that numbers no lines does not say which of the marketplace's own lines are
-- gone. SECURITY DEFINER for the same reason as remove_member (0003_tenancy.sql).
create function remove_vanished_items(account uuid, order_ids text[], statuses text[], stamps timestamptz[], kept_orders text[],
  kept_items text[]) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
  removed integer;
begin
  if not app_may('ingest') then
    raise exception 'only a job removes lines' using errcode = 'insufficient_privilege';
  end if;
  delete from order_items i
    using unnest(order_ids, statuses, stamps) as p (external_order_id, status, stamp), orders o
    where o.seller_id = seller and o.account_id = account and o.external_order_id = p.external_order_id
      and not is_older_version(p.status, p.stamp, o.status, o.marketplace_updated_at)
      and i.seller_id = seller and i.order_id = o.id
      and not exists (
        select from unnest(kept_orders, kept_items) as kept (external_order_id, external_item_id)
        where kept.external_order_id = o.external_order_id
          and (kept.external_item_id = i.external_item_id
            or (is_numbered_here(kept.external_item_id) and not is_numbered_here(i.external_item_id)))
      );
  get diagnostics removed = row_count;
  return removed;
end $$;
grant execute on function remove_vanished_items(uuid, text[], text[], timestamptz[], text[], text[]) to robnu_tenant;
grant select,
  insert (seller_id, order_id, external_shipment_id, status, marketplace_status, carrier, tracking_number, shipment_type, dispatch_after,
    dispatch_by, on_hold, package_count),
  update (status, marketplace_status, carrier, tracking_number, shipment_type, dispatch_after, dispatch_by, on_hold, package_count,
    updated_at)
  on shipments to robnu_tenant;
grant select,
  insert (seller_id, order_id, customer_name_enc, customer_phone_enc, customer_email_enc, address_enc, postal_code_enc, digest),
  update (customer_name_enc, customer_phone_enc, customer_email_enc, address_enc, postal_code_enc, digest, updated_at)
  on order_pii to robnu_tenant;

-- Lets a member read one order's customer for the rest of the transaction, and records that they did. SECURITY DEFINER
-- because members may not write audit events.
create function open_customer(order_to_open uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('pii.read') then
    raise exception 'the scope may not read customers' using errcode = 'insufficient_privilege';
  end if;
  if exists (select from order_pii where seller_id = app_current_seller_id() and order_id = order_to_open) then
    perform write_audit_event(app_current_seller_id(), 'customer.opened', order_to_open, '{}', '{}'),
      set_config('app.opened_customer', order_to_open::text, true);
  end if;
end $$;
grant execute on function open_customer(uuid) to robnu_tenant;

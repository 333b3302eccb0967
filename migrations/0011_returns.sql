-- Returns: what a marketplace says that comes back, and what happened to it. Scans are in 0019_scans.sql, claims and their dates in
-- 0020_claims.sql.
set local role robnu_owner;
set local search_path = robnu;

-- Restricts columns to actors with a permission, in a table that holds both a marketplace's data and members' actions. The
-- owner's own functions check for themselves what they may change.
create function refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'robnu_owner' and not robnu.app_may(tg_argv[0]) then
    raise exception 'the scope may not change this' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create procedure require_right_to_change(relation regclass, permission text, variadic columns text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'create trigger %I before update of %s on %s for each row when (row(%s) is distinct from row(%s))'
    ' execute function robnu.refuse_change(%L)',
    'needs ' || permission, (select string_agg(quote_ident(name), ', ') from unnest(columns) as name), relation,
    (select string_agg('old.' || quote_ident(name), ', ') from unnest(columns) as name),
    (select string_agg('new.' || quote_ident(name), ', ') from unnest(columns) as name), permission);
end $$;

create table returns (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  external_return_id text not null,
  -- The order, once it is stored here; the marketplace's ids of the order and of the parcel that went out, once it states them.
  order_id uuid,
  external_order_id text,
  external_shipment_id text,
  -- CUSTOMER: sent back by the customer. RTO: never reached them.
  return_type text not null check (return_type in ('CUSTOMER', 'RTO')),
  status text not null check (status in ('INITIATED', 'PICKED_UP', 'IN_TRANSIT', 'DELIVERED', 'CANCELLED')),
  marketplace_status text not null,
  reason text,
  carrier text,
  -- The air waybill of the way back.
  tracking_number text,
  currency text check (currency ~ '^[A-Z]{3}$'),
  -- The document by which a marketplace that buys from the seller settles the return. RSI: return sales invoice.
  document_kind text check (document_kind in ('CREDIT_NOTE', 'RSI', 'DEBIT_NOTE')),
  document_number text,
  initiated_at timestamptz not null,
  expected_at timestamptz,
  -- The return's completion: when it reached the seller, as the marketplace says.
  delivered_at timestamptz,
  marketplace_updated_at timestamptz,
  -- The claim terms as they were when the return was stored. file_by_days has a number for each of claim_reasons(); null: unknown.
  missing_after_days integer not null check (missing_after_days > 0),
  file_by_days integer[] not null check (cardinality(file_by_days) = cardinality(claim_reasons())),
  -- The dates that these make (set_claim_dates in 0020_claims.sql): from when it counts as lost; until when a claim can be filed, null: unknown; from
  -- when the seller is warned of that; from when it gets a pending claim if nothing arrived. And when the seller was warned.
  missing_at timestamptz not null,
  file_by timestamptz,
  warn_at timestamptz,
  pending_at timestamptz not null,
  warned_at timestamptz,
  -- What the seller knows. CLAIM_PENDING: nothing arrived in time.
  internal_status text not null default 'EXPECTED' check (internal_status in ('EXPECTED', 'RECEIVED', 'CLAIM_PENDING')),
  received_at timestamptz,
  received_by uuid,
  -- Which fields of the return could not be read, and what was wrong with them; never their values.
  notes text[] not null default '{}',
  -- The condition in which it arrived, why, and how many articles that is about. MISSING: something is missing in the parcel.
  condition text check (condition in ('GOOD', 'BAD', 'MISSING')),
  condition_reason text check (length(condition_reason) between 1 and 200),
  condition_quantity integer check (condition_quantity > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_return_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, order_id) references orders (seller_id, id),
  check ((document_kind is null) = (document_number is null)),
  check ((received_at is null) = (internal_status <> 'RECEIVED')),
  check (condition is null or received_at is not null),
  check (condition is not null or (condition_reason is null and condition_quantity is null))
);
create index returns_by_time on returns (seller_id, initiated_at desc, id desc);
create index returns_by_account on returns (seller_id, account_id, initiated_at desc, id desc);
-- As with orders, the account stands before the time, and no other index has this order.
create index returns_by_status on returns (seller_id, status, account_id, initiated_at desc nulls last, id desc nulls last);
create index returns_by_internal_status on returns
  (seller_id, internal_status, account_id, initiated_at desc nulls last, id desc nulls last);
create index returns_by_file_by on returns (seller_id, file_by, id);
create index returns_by_order on returns (seller_id, order_id);
-- Returns whose order was not stored yet.
create index returns_without_order on returns (seller_id, account_id, external_order_id) where order_id is null;
create index returns_by_external_id on returns (seller_id, external_return_id text_pattern_ops);
create index returns_by_tracking_number on returns (seller_id, tracking_number text_pattern_ops);
create index returns_by_order_number on returns (seller_id, external_order_id text_pattern_ops);
create index returns_by_shipment on returns (seller_id, external_shipment_id text_pattern_ops);
-- The sweep looks across sellers for returns that did not arrive in time, and for claims that are due soon.
create index returns_overdue on returns (pending_at) where internal_status = 'EXPECTED' and status <> 'CANCELLED';
create index returns_due_soon on returns (warn_at) where warned_at is null and status <> 'CANCELLED';

create table return_items (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  return_id uuid not null,
  external_item_id text not null,
  -- The order's line, once it is stored here, and the marketplace's id of it.
  order_item_id uuid,
  external_order_item_id text,
  sku text,
  title text,
  size text,
  quantity integer not null check (quantity >= 0),
  quantity_cancelled integer not null default 0 check (quantity_cancelled >= 0),
  -- What the marketplace gives back to the customer for the line.
  refund_amount numeric(14, 4),
  reason text,
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, return_id, external_item_id),
  foreign key (seller_id, return_id) references returns (seller_id, id) on delete cascade,
  foreign key (seller_id, order_item_id) references order_items (seller_id, id) on delete set null (order_item_id)
);
create index return_items_by_order_item on return_items (seller_id, order_item_id);

-- What happened to a return. A trigger below writes it; a member adds only that a received return was scanned again.
create table return_events (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  return_id uuid not null,
  event text not null default 'SCANNED_AGAIN'
    check (event in ('CREATED', 'STATUS_CHANGED', 'RECEIVED', 'SCANNED_AGAIN', 'CONDITION_CHANGED', 'CLAIM_PENDING', 'CLAIM_DUE_SOON')),
  from_status text,
  to_status text,
  -- The condition that a scan stated, in RECEIVED and CONDITION_CHANGED.
  condition text,
  condition_reason text,
  condition_quantity integer,
  actor_kind text not null default coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM'),
  actor_id uuid default nullif(current_setting('app.actor_id', true), '')::uuid,
  impersonation_session_id uuid default nullif(current_setting('app.impersonation_session', true), '')::uuid,
  occurred_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, return_id) references returns (seller_id, id) on delete cascade
);
create index return_events_by_return on return_events (seller_id, return_id, id);

do $$
declare
  relation regclass;
begin
  foreach relation in array array['returns', 'return_items', 'return_events']::regclass[] loop
    call protect_tenant_table(relation);
    call require_right_to_read(relation, 'read', 'returns.scan', 'ingest');
  end loop;
end $$;
call require_right_to_write('returns', 'ingest', 'insert');
create policy update_needs_right on returns as restrictive for update to robnu_tenant
  using ((select app_may_any('ingest', 'returns.scan'))) with check ((select app_may_any('ingest', 'returns.scan')));
call require_right_to_change('returns', 'ingest', 'order_id', 'external_order_id', 'external_shipment_id', 'return_type', 'status',
  'marketplace_status', 'reason', 'carrier', 'tracking_number', 'currency', 'document_kind', 'document_number', 'initiated_at',
  'expected_at', 'delivered_at', 'marketplace_updated_at', 'notes');
call require_right_to_change('returns', 'returns.scan', 'condition', 'condition_reason', 'condition_quantity');
call require_right_to_write('return_items', 'ingest', 'insert', 'update');
call require_right_to_write('return_events', 'returns.scan', 'insert');
-- This also bounds how often a person states a condition.
call audit('returns', 'update of received_at, condition, condition_reason, condition_quantity', 'return', 'id',
  'received_at', 'internal_status', 'condition', 'condition_quantity');

grant select,
  insert (seller_id, account_id, external_return_id, order_id, external_order_id, external_shipment_id, return_type, status,
    marketplace_status, reason, carrier, tracking_number, currency, document_kind, document_number, initiated_at, expected_at, delivered_at,
    marketplace_updated_at, notes),
  update (order_id, external_order_id, external_shipment_id, return_type, status, marketplace_status, reason, carrier, tracking_number,
    currency, document_kind, document_number, initiated_at, expected_at, delivered_at, marketplace_updated_at, notes, received_at, condition,
    condition_reason, condition_quantity, updated_at)
  on returns to robnu_tenant;
grant select,
  insert (seller_id, return_id, external_item_id, order_item_id, external_order_item_id, sku, title, size, quantity, quantity_cancelled,
    refund_amount, reason),
  update (external_item_id, order_item_id, external_order_item_id, sku, title, size, quantity, quantity_cancelled, refund_amount, reason,
    updated_at)
  on return_items to robnu_tenant;
grant select, insert (seller_id, return_id) on return_events to robnu_tenant;

-- How far a return with this status has come. A cancelled one may arrive after all, and one that arrived may be cancelled.
create function return_progress(status text) returns integer
language sql immutable parallel safe
return case status when 'INITIATED' then 0 when 'PICKED_UP' then 1 when 'IN_TRANSIT' then 2 when 'DELIVERED' then 3 when 'CANCELLED' then 3 end;

-- Whether a return as it was read is older than the stored one: by the marketplace's own stamp or, without one, by status.
create function is_older_return(status text, updated_at timestamptz, stored_status text, stored_updated_at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(updated_at < stored_updated_at, return_progress(status) < return_progress(stored_status), false);

-- Removes the lines that returns no longer have. Older versions of returns remove nothing. SECURITY DEFINER because nobody else may
-- delete lines.
create function remove_vanished_return_items(account uuid, return_ids text[], statuses text[], stamps timestamptz[], kept_returns text[],
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
  delete from return_items i
    using unnest(return_ids, statuses, stamps) as p (external_return_id, status, stamp), returns r
    where r.seller_id = seller and r.account_id = account and r.external_return_id = p.external_return_id
      and not is_older_return(p.status, p.stamp, r.status, r.marketplace_updated_at)
      and i.seller_id = seller and i.return_id = r.id
      and not exists (
        select from unnest(kept_returns, kept_items) as kept (external_return_id, external_item_id)
        where kept.external_return_id = r.external_return_id
          and (kept.external_item_id = i.external_item_id
            or (is_numbered_here(kept.external_item_id) and not is_numbered_here(i.external_item_id)))
      );
  get diagnostics removed = row_count;
  return removed;
end $$;

-- Makes the pages of an account that hold orders and those that hold returns take turns, until the transaction ends. Their runs work
-- at the same time. Without turns, a page of either could miss what the other has not committed yet, and the two would never be joined.
-- It comes first in the transaction, because a page that waits here while it holds rows could wait for a page that wants these rows.
-- The seller is part of the lock, so that nobody can make another seller's pages wait.
create function take_turns(account uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not robnu.app_may('ingest') then
    raise exception 'only jobs store pages' using errcode = 'insufficient_privilege';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('pages of ' || robnu.app_current_seller_id() || account, 0));
end $$;

-- Joins the returns of these orders, or these returns, to their orders, and the lines of both, whichever was stored first.
create function join_returns(account uuid, order_ids text[], return_ids text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  found uuid[] := array(
    select id from robnu.returns where account_id = account and external_order_id = any (order_ids)
    union
    select id from robnu.returns where account_id = account and external_return_id = any (return_ids));
begin
  update robnu.returns r set order_id = o.id
  from robnu.orders o
  where r.id = any (found) and r.order_id is null and o.account_id = account and o.external_order_id = r.external_order_id;
  update robnu.return_items i set order_item_id = oi.id
  from robnu.returns r
  join robnu.order_items oi on oi.order_id = r.order_id
  where r.id = any (found) and i.return_id = r.id and i.order_item_id is null and oi.external_item_id = i.external_order_item_id;
end $$;
grant execute on function return_progress(text), is_older_return(text, timestamptz, text, timestamptz),
  remove_vanished_return_items(uuid, text[], text[], timestamptz[], text[], text[]), take_turns(uuid), join_returns(uuid, text[], text[])
  to robnu_tenant;

-- SECURITY DEFINER because nobody may write events of their own making.
create function note_return_event() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    insert into return_events (seller_id, return_id, event, to_status) values (new.seller_id, new.id, 'CREATED', new.status);
    return null;
  end if;
  if new.status <> old.status then
    insert into return_events (seller_id, return_id, event, from_status, to_status)
    values (new.seller_id, new.id, 'STATUS_CHANGED', old.status, new.status);
  end if;
  if new.internal_status <> old.internal_status then
    insert into return_events (seller_id, return_id, event, from_status, to_status, condition, condition_reason, condition_quantity)
    values (new.seller_id, new.id, new.internal_status, old.internal_status, new.internal_status,
      new.condition, new.condition_reason, new.condition_quantity);
  elsif row(new.condition, new.condition_reason, new.condition_quantity)
    is distinct from row(old.condition, old.condition_reason, old.condition_quantity)
  then
    insert into return_events (seller_id, return_id, event, condition, condition_reason, condition_quantity)
    values (new.seller_id, new.id, 'CONDITION_CHANGED', new.condition, new.condition_reason, new.condition_quantity);
  end if;
  if new.warned_at is distinct from old.warned_at then
    insert into return_events (seller_id, return_id, event) values (new.seller_id, new.id, 'CLAIM_DUE_SOON');
  end if;
  return null;
end $$;
create trigger note_return_event
  after insert or update of status, received_at, internal_status, condition, condition_reason, condition_quantity, warned_at on returns
  for each row execute function note_return_event();

-- Returns and claims. A marketplace says what comes back; the seller scans what arrived and files claims for what did not. The
-- claim deadline is set in set_claim_window below.
set local role robnu_owner;
set local search_path = robnu;

-- Restricts columns to actors with a permission, in a table that holds both a marketplace's data and members' actions.
create function refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not robnu.app_may(tg_argv[0]) then
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
  delivered_at timestamptz,
  marketplace_updated_at timestamptz,
  -- The claim window of the seller, or else of the marketplace, as it was when the return was first read; and the claim deadline.
  claim_window_days integer not null check (claim_window_days > 0),
  claim_due_at timestamptz not null,
  -- What the seller knows. CLAIM_PENDING: the window ended before anything arrived.
  internal_status text not null default 'EXPECTED' check (internal_status in ('EXPECTED', 'RECEIVED', 'CLAIM_PENDING')),
  received_at timestamptz,
  received_by uuid,
  -- Which fields of the return could not be read, and what was wrong with them; never their values.
  notes text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_return_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, order_id) references orders (seller_id, id),
  check ((document_kind is null) = (document_number is null)),
  check ((received_at is null) = (internal_status <> 'RECEIVED'))
);
create index returns_by_time on returns (seller_id, initiated_at desc, id desc);
create index returns_by_account on returns (seller_id, account_id, initiated_at desc, id desc);
-- As with orders, the account stands before the time, and no other index has this order.
create index returns_by_status on returns (seller_id, status, account_id, initiated_at desc nulls last, id desc nulls last);
create index returns_by_internal_status on returns
  (seller_id, internal_status, account_id, initiated_at desc nulls last, id desc nulls last);
create index returns_by_claim_due on returns (seller_id, claim_due_at, id);
create index returns_by_order on returns (seller_id, order_id);
-- Returns whose order was not stored yet.
create index returns_without_order on returns (seller_id, account_id, external_order_id) where order_id is null;
create index returns_by_external_id on returns (seller_id, external_return_id text_pattern_ops);
create index returns_by_tracking_number on returns (seller_id, tracking_number text_pattern_ops);
create index returns_by_order_number on returns (seller_id, external_order_id text_pattern_ops);
create index returns_by_shipment on returns (seller_id, external_shipment_id text_pattern_ops);
-- The sweep looks across sellers for returns that did not arrive in time.
create index returns_overdue on returns (claim_due_at) where internal_status = 'EXPECTED' and status <> 'CANCELLED';

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

-- What happened to a return. The trigger below writes it; a member adds only that a received return was scanned again.
create table return_events (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  return_id uuid not null,
  event text not null default 'SCANNED_AGAIN'
    check (event in ('CREATED', 'STATUS_CHANGED', 'RECEIVED', 'SCANNED_AGAIN', 'CLAIM_PENDING')),
  from_status text,
  to_status text,
  actor_kind text not null default coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM'),
  actor_id uuid default nullif(current_setting('app.actor_id', true), '')::uuid,
  impersonation_session_id uuid default nullif(current_setting('app.impersonation_session', true), '')::uuid,
  occurred_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, return_id) references returns (seller_id, id) on delete cascade
);
create index return_events_by_return on return_events (seller_id, return_id, id);
-- A return that was never received cannot be scanned again.
create function scan_again() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Row security will refuse this row after the trigger, so nothing is read for it.
  if not (robnu.app_may('returns.scan') and new.seller_id = robnu.app_current_seller_id()) then
    return new;
  end if;
  perform from robnu.returns where seller_id = new.seller_id and id = new.return_id and received_at is not null;
  if not found then
    raise exception 'the return was not received' using errcode = 'check_violation', constraint = 'return_events_of_received';
  end if;
  -- A parcel that lies under the scanner counts as one scan a minute, and 100 a day. Further scans succeed and are not recorded.
  if exists (
    select from robnu.return_events e
    where e.seller_id = new.seller_id and e.return_id = new.return_id and e.id > (select uuidv7(interval '-1 minute'))
      and e.event = 'SCANNED_AGAIN' and e.actor_id is not distinct from nullif(current_setting('app.actor_id', true), '')::uuid)
    or (
      select count(*) from (
        select from robnu.return_events e
        where e.seller_id = new.seller_id and e.return_id = new.return_id and e.id > (select uuidv7(interval '-1 day'))
        limit 100
      ) today) >= 100
  then
    return null;
  end if;
  return new;
end $$;
create trigger scan_again before insert on return_events for each row
  when (new.event = 'SCANNED_AGAIN') execute function scan_again();

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
call require_right_to_write('return_items', 'ingest', 'insert', 'update');
call require_right_to_write('return_events', 'returns.scan', 'insert');
call audit('returns', 'update of received_at', 'return', 'id', 'received_at', 'internal_status');

grant select,
  insert (seller_id, account_id, external_return_id, order_id, external_order_id, external_shipment_id, return_type, status,
    marketplace_status, reason, carrier, tracking_number, currency, document_kind, document_number, initiated_at, expected_at, delivered_at,
    marketplace_updated_at, notes),
  update (order_id, external_order_id, external_shipment_id, return_type, status, marketplace_status, reason, carrier, tracking_number,
    currency, document_kind, document_number, initiated_at, expected_at, delivered_at, marketplace_updated_at, notes, received_at, updated_at)
  on returns to robnu_tenant;
grant select,
  insert (seller_id, return_id, external_item_id, order_item_id, external_order_item_id, sku, title, size, quantity, quantity_cancelled,
    refund_amount, reason),
  update (order_item_id, external_order_item_id, sku, title, size, quantity, quantity_cancelled, refund_amount, reason, updated_at)
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
        where kept.external_return_id = r.external_return_id and kept.external_item_id = i.external_item_id
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

-- Sets the claim window once, when the return is stored: the seller's, else the marketplace's, else 60 days. When the marketplace
-- corrects the return's start, the deadline moves with it.
create function set_claim_window() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    select coalesce(s.claim_window_days, m.claim_window_days) into new.claim_window_days
    from robnu.sellers s
    join robnu.marketplace_accounts a on a.seller_id = s.seller_id and a.id = new.account_id
    join robnu.marketplaces m on m.code = a.marketplace_code
    where s.seller_id = new.seller_id;
    new.claim_window_days := coalesce(new.claim_window_days, 60);
  end if;
  new.claim_due_at := new.initiated_at + make_interval(days => new.claim_window_days);
  return new;
end $$;
create trigger set_claim_window before insert or update of initiated_at on returns for each row execute function set_claim_window();

-- A scan states only that the return is here; the trigger fills in when, by whom and the new status. The first receipt stays.
create function receive_return() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not robnu.app_may('returns.scan') then
    raise exception 'the scope may not scan returns' using errcode = 'insufficient_privilege';
  end if;
  if old.received_at is not null then
    raise exception 'the return was received before' using errcode = 'check_violation', constraint = 'returns_received_once';
  end if;
  if old.status = 'CANCELLED' then
    raise exception 'the return is cancelled' using errcode = 'check_violation', constraint = 'returns_not_cancelled';
  end if;
  new.received_at := now();
  new.received_by := nullif(current_setting('app.actor_id', true), '')::uuid;
  new.internal_status := 'RECEIVED';
  return new;
end $$;
create trigger receive_return before update of received_at on returns for each row
  when (new.received_at is distinct from old.received_at) execute function receive_return();

-- Finds the returns that a code on a parcel may mean: the return's own number, its air waybill, or the number or air waybill of
-- the parcel that went out. SECURITY DEFINER because members who may only scan cannot read shipments and still hold such parcels.
-- Readers may call it too, so that a suspended seller sees what a scan would find.
create function returns_by_code(code text) returns setof uuid
language sql stable security definer rows 2
set search_path = robnu, pg_temp
as $$
  select r.id from returns r
  where (select app_may_any('returns.scan', 'read')) and r.seller_id = (select app_current_seller_id()) and r.external_return_id = code
  union
  select r.id from returns r
  where (select app_may_any('returns.scan', 'read')) and r.seller_id = (select app_current_seller_id()) and r.tracking_number = code
  union
  select r.id from returns r
  where (select app_may_any('returns.scan', 'read')) and r.seller_id = (select app_current_seller_id()) and r.external_shipment_id = code
  union
  select r.id from shipments s
  join returns r on r.seller_id = s.seller_id and r.order_id = s.order_id
    and (r.external_shipment_id is null or r.external_shipment_id = s.external_shipment_id)
  where (select app_may_any('returns.scan', 'read')) and s.seller_id = (select app_current_seller_id()) and s.tracking_number = code
  union
  select r.id from shipments s
  join returns r on r.seller_id = s.seller_id and r.order_id = s.order_id
    and (r.external_shipment_id is null or r.external_shipment_id = s.external_shipment_id)
  where (select app_may_any('returns.scan', 'read')) and s.seller_id = (select app_current_seller_id()) and s.external_shipment_id = code
$$;
grant execute on function returns_by_code(text) to robnu_tenant;

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
    insert into return_events (seller_id, return_id, event, from_status, to_status)
    values (new.seller_id, new.id, new.internal_status, old.internal_status, new.internal_status);
  end if;
  return null;
end $$;
create trigger note_return_event after insert or update of status, received_at, internal_status on returns
  for each row execute function note_return_event();

-- Claims, one per return: PENDING → FILED → ACKNOWLEDGED → RESOLVED_WON or RESOLVED_LOST. A claim can be cancelled and reopened
-- on the way.
create table claims (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  return_id uuid not null,
  -- The return's account, so that lists need no join. The trigger fills it in.
  account_id uuid not null,
  status text not null default 'FILED' check (status in ('PENDING', 'FILED', 'ACKNOWLEDGED', 'RESOLVED_WON', 'RESOLVED_LOST',
    'CANCELLED', 'REOPENED_WITH_EVIDENCE')),
  -- NOT_RECEIVED: nothing arrived within the window. The others are about what arrived.
  reason text not null check (reason in ('NOT_RECEIVED', 'WRONG_ITEM', 'DAMAGED', 'USED', 'MISSING_QUANTITY', 'OTHER')),
  note text check (length(note) between 1 and 1000),
  -- The marketplace's ticket.
  marketplace_reference text check (length(marketplace_reference) between 1 and 100),
  currency text not null default 'INR' check (currency ~ '^[A-Z]{3}$'),
  claimed_amount numeric(14, 4) check (claimed_amount >= 0),
  recovered_amount numeric(14, 4) check (recovered_amount >= 0),
  -- Why the status last changed: why the claim was lost, cancelled or reopened.
  status_reason text check (length(status_reason) between 1 and 500),
  filed_at timestamptz,
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, return_id),
  foreign key (seller_id, return_id) references returns (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check (recovered_amount is null or status = 'RESOLVED_WON'),
  check (status not in ('RESOLVED_LOST', 'CANCELLED') or status_reason is not null)
);
create index claims_by_time on claims (seller_id, created_at desc, id desc);
create index claims_by_status on claims (seller_id, status, account_id, created_at desc nulls last, id desc nulls last);
create index claims_by_account on claims (seller_id, account_id, created_at desc, id desc);

-- Every step of a claim. Only the trigger below writes it.
create table claim_events (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  claim_id uuid not null,
  from_status text,
  to_status text not null,
  reason text,
  -- The recovered amount, both in the step that won it and in the step that took it back.
  recovered_amount numeric(14, 4),
  actor_kind text not null,
  actor_id uuid,
  impersonation_session_id uuid,
  occurred_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, claim_id) references claims (seller_id, id)
);
create index claim_events_by_claim on claim_events (seller_id, claim_id, id);

call protect_tenant_table('claims');
call protect_tenant_table('claim_events');
call require_right_to_read('claims', 'read', 'ingest');
call require_right_to_read('claim_events', 'read', 'ingest');
call require_right_to_write('claims', 'claims.file', 'insert');
create policy update_needs_right on claims as restrictive for update to robnu_tenant
  using ((select app_may_any('claims.file', 'claims.resolve'))) with check ((select app_may_any('claims.file', 'claims.resolve')));
call require_right_to_change('claims', 'claims.resolve', 'recovered_amount');
call keep_version('claims', 'status', 'status_reason', 'reason', 'note', 'marketplace_reference', 'claimed_amount', 'recovered_amount');
call audit('claims', 'insert or update', 'claim', 'id', 'return_id', 'status', 'reason', 'claimed_amount', 'recovered_amount');
grant select,
  insert (seller_id, return_id, reason, note, marketplace_reference, currency, claimed_amount),
  update (status, status_reason, reason, note, marketplace_reference, currency, claimed_amount, recovered_amount, updated_at)
  on claims to robnu_tenant;
grant select on claim_events to robnu_tenant;

-- Checks whether a return can be claimed for. A claim about what arrived is possible within the window, counted from the return's
-- start or from its receipt, whichever ends later. A claim for what did not arrive is possible once the window is over. SECURITY
-- DEFINER because it locks the return, which its readers may not do, so that a claim and a scan at the same time see each other.
create function open_claim() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  claimed returns;
  refusal text;
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may('claims.file') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  select * into claimed from returns where seller_id = new.seller_id and id = new.return_id for no key update;
  if not found then
    return new;
  end if;
  new.account_id := claimed.account_id;
  refusal := case
    when claimed.status = 'CANCELLED' then 'claims_return_cancelled'
    when new.reason = 'NOT_RECEIVED' and claimed.received_at is not null then 'claims_return_received'
    when new.reason = 'NOT_RECEIVED' and claimed.claim_due_at >= now() then 'claims_window_open'
    when new.reason <> 'NOT_RECEIVED' and claimed.received_at is null then 'claims_return_not_received'
    when new.reason <> 'NOT_RECEIVED'
      and greatest(claimed.claim_due_at, claimed.received_at + make_interval(days => claimed.claim_window_days)) < now()
      then 'claims_window_over'
  end;
  if refusal is not null then
    raise exception 'the return cannot be claimed for' using errcode = 'check_violation', constraint = refusal;
  end if;
  -- A pending claim is not filed yet.
  new.filed_at := case when new.status <> 'PENDING' then now() end;
  return new;
end $$;
create trigger open_claim before insert on claims for each row execute function open_claim();

-- The steps of a claim, and the permission that each needs. Only the scan itself can reopen a claim with evidence.
create function claim_step_right(from_status text, to_status text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when from_status = 'PENDING' and to_status in ('FILED', 'CANCELLED') then 'claims.file'
  when from_status = 'FILED' and to_status in ('ACKNOWLEDGED', 'CANCELLED') then 'claims.file'
  when from_status = 'REOPENED_WITH_EVIDENCE' and to_status in ('ACKNOWLEDGED', 'CANCELLED') then 'claims.file'
  when from_status = 'ACKNOWLEDGED' and to_status in ('RESOLVED_WON', 'RESOLVED_LOST') then 'claims.resolve'
  when from_status = 'ACKNOWLEDGED' and to_status = 'CANCELLED' then 'claims.file'
  when from_status in ('RESOLVED_WON', 'RESOLVED_LOST', 'CANCELLED', 'REOPENED_WITH_EVIDENCE') and to_status = 'FILED'
    then 'claims.resolve'
end;
grant execute on function claim_step_right(text, text) to robnu_tenant;

create function step_claim() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  needs text := case
    -- The return arrived after its window, and its pending claim was never filed. The scan has reopened that claim. Filing it,
    -- with a reason that fits what arrived, is a first filing and not a second look.
    when old.status = 'REOPENED_WITH_EVIDENCE' and old.filed_at is null and new.status = 'FILED' then 'claims.file'
    else robnu.claim_step_right(old.status, new.status)
  end;
begin
  if new.status = 'REOPENED_WITH_EVIDENCE' and current_user = 'robnu_owner' then
    null;
  elsif needs is null then
    raise exception 'the claim has no such step' using errcode = 'check_violation', constraint = 'claims_step';
  elsif not robnu.app_may(needs) then
    raise exception 'the scope may not take this step' using errcode = 'insufficient_privilege';
  end if;
  new.updated_at := now();
  if new.status <> 'RESOLVED_WON' then
    new.recovered_amount := null;
  end if;
  if new.status = 'FILED' then
    new.filed_at := now();
    new.acknowledged_at := null;
  elsif new.status = 'ACKNOWLEDGED' then
    new.acknowledged_at := now();
  end if;
  new.resolved_at := case when new.status in ('RESOLVED_WON', 'RESOLVED_LOST') then now() end;
  return new;
end $$;
create trigger step_claim before update of status on claims for each row when (new.status <> old.status) execute function step_claim();

-- SECURITY DEFINER because nobody may write events of their own making.
create function note_claim_event() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  insert into claim_events (seller_id, claim_id, from_status, to_status, reason, recovered_amount, actor_kind, actor_id,
    impersonation_session_id)
  values (new.seller_id, new.id, case when tg_op = 'UPDATE' then old.status end, new.status, new.status_reason,
    coalesce(new.recovered_amount, case when tg_op = 'UPDATE' then old.recovered_amount end),
    coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM'),
    nullif(current_setting('app.actor_id', true), '')::uuid,
    nullif(current_setting('app.impersonation_session', true), '')::uuid);
  return null;
end $$;
create trigger note_claim_event after insert on claims for each row execute function note_claim_event();
create trigger note_claim_step after update of status on claims for each row
  when (new.status <> old.status) execute function note_claim_event();

-- A return that is received after a claim was made reopens the claim with the scan as evidence, unless the claim was cancelled.
-- SECURITY DEFINER because members who scan need not be allowed to change claims.
create function reopen_claim_with_evidence() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  update claims set status = 'REOPENED_WITH_EVIDENCE', status_reason = 'the return was scanned as received'
  where seller_id = new.seller_id and return_id = new.id and status not in ('CANCELLED', 'REOPENED_WITH_EVIDENCE');
  return null;
end $$;
create trigger reopen_claim_with_evidence after update of received_at on returns for each row
  when (old.received_at is null and new.received_at is not null) execute function reopen_claim_with_evidence();

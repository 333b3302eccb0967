-- Scans of returns: receiving, the condition, finding a return by a code, and scans that wait for a return that no marketplace has
-- announced yet.
set local role robnu_owner;
set local search_path = robnu;

-- A scan states only that the return is here; the trigger fills in when, by whom and the new status. The first receipt stays. Only
-- the owner's function that joins an earlier scan (join_scan) states when and by whom.
create function receive_return() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'robnu_owner' and not robnu.app_may('returns.scan') then
    raise exception 'the scope may not scan returns' using errcode = 'insufficient_privilege';
  end if;
  if old.received_at is not null then
    raise exception 'the return was received before' using errcode = 'check_violation', constraint = 'returns_received_once';
  end if;
  if old.status = 'CANCELLED' then
    raise exception 'the return is cancelled' using errcode = 'check_violation', constraint = 'returns_not_cancelled';
  end if;
  if current_user <> 'robnu_owner' then
    new.received_at := now();
    new.received_by := nullif(current_setting('app.actor_id', true), '')::uuid;
  end if;
  new.internal_status := 'RECEIVED';
  return new;
end $$;
create trigger receive_return before update of received_at on returns for each row
  when (new.received_at is distinct from old.received_at) execute function receive_return();

-- A later scan may state another condition until a claim is filed, because the claim rests on it. SECURITY DEFINER because members
-- who scan cannot read claims.
create function keep_claimed_condition() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if old.received_at is not null and exists (
    select from claims c
    where c.seller_id = old.seller_id and c.return_id = old.id and c.filed_at is not null and c.status <> 'CANCELLED')
  then
    raise exception 'a claim was filed' using errcode = 'check_violation', constraint = 'returns_condition_claimed';
  end if;
  return new;
end $$;
create trigger keep_claimed_condition before update of condition, condition_reason, condition_quantity on returns for each row
  when (row(new.condition, new.condition_reason, new.condition_quantity)
    is distinct from row(old.condition, old.condition_reason, old.condition_quantity))
  execute function keep_claimed_condition();

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


-- Finds the returns that a code on a parcel may mean: the return's own number, its air waybill, or the number or air waybill of
-- the parcel that went out.
create function returns_of_code(seller uuid, code text) returns setof uuid
language sql stable rows 2
set search_path = robnu, pg_temp
as $$
  select r.id from returns r where r.seller_id = seller and r.external_return_id = code
  union
  select r.id from returns r where r.seller_id = seller and r.tracking_number = code
  union
  select r.id from returns r where r.seller_id = seller and r.external_shipment_id = code
  union
  select r.id from shipments s
  join returns r on r.seller_id = s.seller_id and r.order_id = s.order_id
    and (r.external_shipment_id is null or r.external_shipment_id = s.external_shipment_id)
  where s.seller_id = seller and s.tracking_number = code
  union
  select r.id from shipments s
  join returns r on r.seller_id = s.seller_id and r.order_id = s.order_id
    and (r.external_shipment_id is null or r.external_shipment_id = s.external_shipment_id)
  where s.seller_id = seller and s.external_shipment_id = code
$$;

-- The same for the seller of the scope. SECURITY DEFINER because members who may only scan cannot read shipments and still hold such
-- parcels. Readers may call it too, so that a suspended seller sees what a scan would find.
create function returns_by_code(code text) returns setof uuid
language sql stable security definer rows 2
set search_path = robnu, pg_temp
as $$
  select found.id from returns_of_code(app_current_seller_id(), code) as found (id) where app_may_any('returns.scan', 'read')
$$;
grant execute on function returns_by_code(text) to robnu_tenant;

-- Scans of codes that no return has yet: a parcel can arrive before the marketplace announces it. Each waits for its return, or for
-- a member who discards it because it was a typing error.
create table unmatched_scans (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  code text not null check (length(code) between 1 and 100),
  condition text check (condition in ('GOOD', 'BAD', 'MISSING')),
  condition_reason text check (length(condition_reason) between 1 and 200),
  condition_quantity integer check (condition_quantity > 0),
  -- When and by whom the code was scanned first.
  scanned_at timestamptz not null default now(),
  scanned_by uuid default nullif(current_setting('app.actor_id', true), '')::uuid,
  actor_kind text not null default coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM'),
  impersonation_session_id uuid default nullif(current_setting('app.impersonation_session', true), '')::uuid,
  primary key (seller_id, id),
  unique (seller_id, code),
  foreign key (seller_id) references sellers (seller_id),
  check (condition is not null or (condition_reason is null and condition_quantity is null))
);
call protect_tenant_table('unmatched_scans');
call require_right_to_read('unmatched_scans', 'read', 'returns.scan');
call require_right_to_write('unmatched_scans', 'returns.scan', 'insert', 'update');
-- This also counts the rows that a person makes, and how often a person changes one. The code is not shown: the trail is kept for
-- years, and nobody knows what was under the scanner.
call audit('unmatched_scans', 'insert or update or delete', 'scan', 'id', 'condition', 'condition_quantity');
grant select,
  insert (seller_id, code, condition, condition_reason, condition_quantity),
  update (condition, condition_reason, condition_quantity)
  on unmatched_scans to robnu_tenant;

-- Waiting scans that somebody forgot fill no database: a seller has at most 2,000. A code that waits already is not one more.
create function limit_unmatched_scans() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if (select count(*) from (select from robnu.unmatched_scans s where s.seller_id = new.seller_id limit 2000) waiting) >= 2000
    and not exists (select from robnu.unmatched_scans s where s.seller_id = new.seller_id and s.code = new.code)
  then
    raise exception 'the seller has too many waiting scans' using errcode = 'check_violation', constraint = 'unmatched_scans_of_seller';
  end if;
  return new;
end $$;
create trigger limit_unmatched_scans before insert on unmatched_scans for each row execute function limit_unmatched_scans();

-- Discards the waiting scan with this id or this code; returns its id. SECURITY DEFINER for the same reason as remove_member
-- (0003_tenancy.sql).
create function discard_scan(scan uuid, of_code text) returns setof uuid
language sql security definer
set search_path = robnu, pg_temp
as $$
  delete from unmatched_scans s
  where s.seller_id = app_current_seller_id() and app_may('returns.scan') and (s.id = scan or s.code = of_code)
  returning s.id
$$;
grant execute on function discard_scan(uuid, text) to robnu_tenant;

-- ---- Joining a waiting scan with its return ----
--
-- Two things can complete a pair: the scan, and a return or shipment that brings the code. Either looks for the other after it was
-- written. A scan holds the seller's lock alone and writers of returns share it, so of two at the same moment one waits and then
-- sees what the other has committed. These functions are SECURITY DEFINER because jobs may not receive returns, and members who scan
-- do not read shipments.

create function lock_scans(seller uuid, alone boolean) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select case when alone then pg_advisory_xact_lock(hashtextextended('scans of ' || seller, 0))
    else pg_advisory_xact_lock_shared(hashtextextended('scans of ' || seller, 0)) end
$$;

-- Receives the one return that a waiting scan means, with the time, the person and the condition of the scan, and ends the wait. When
-- the code means no return, or several, the scan goes on waiting. A return that was received before keeps its own receipt.
create function join_scan(scan unmatched_scans) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  meant uuid[] := array(
    select r.id from returns_of_code(scan.seller_id, scan.code) as found (id)
    join returns r on r.seller_id = scan.seller_id and r.id = found.id
    where r.status <> 'CANCELLED');
begin
  if cardinality(meant) <> 1 then
    return;
  end if;
  -- The return comes before the scan, as when a member chooses a return for a waiting scan, so that the two do not deadlock.
  perform from returns where seller_id = scan.seller_id and id = meant[1] for no key update;
  delete from unmatched_scans s where s.seller_id = scan.seller_id and s.id = scan.id;
  if not found then
    return;
  end if;
  update returns
  set received_at = scan.scanned_at, received_by = scan.scanned_by, condition = scan.condition,
    condition_reason = scan.condition_reason, condition_quantity = scan.condition_quantity, updated_at = now()
  where seller_id = scan.seller_id and id = meant[1] and received_at is null;
  if found then
    -- The audit trail names whoever stored the return now; the return's own event names the person who held the parcel.
    update return_events
    set actor_kind = scan.actor_kind, actor_id = scan.scanned_by, impersonation_session_id = scan.impersonation_session_id
    where seller_id = scan.seller_id and return_id = meant[1] and event = 'RECEIVED';
  end if;
end $$;

create function join_new_scan() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform lock_scans(new.seller_id, true);
  perform join_scan(new);
  return null;
end $$;
create trigger join_new_scan after insert on unmatched_scans for each row execute function join_new_scan();

-- Joins the waiting scans of any of these codes, the earliest first.
create function join_scans_of(seller uuid, codes text[]) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  scan unmatched_scans;
begin
  perform lock_scans(seller, false);
  for scan in
    select * from unmatched_scans s where s.seller_id = seller and s.code = any (codes) order by s.scanned_at, s.id
  loop
    perform join_scan(scan);
  end loop;
end $$;

create function join_scans_of_return() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform join_scans_of(new.seller_id, array[new.external_return_id, new.tracking_number, new.external_shipment_id] || array(
    select unnest(array[s.tracking_number, s.external_shipment_id]) from shipments s
    where s.seller_id = new.seller_id and s.order_id = new.order_id));
  return null;
end $$;
-- The names put these after note_return_event, so that the receipt is told after what led to it.
create trigger scans_join_new_return after insert on returns for each row execute function join_scans_of_return();
create trigger scans_join_return after update of order_id, external_shipment_id, tracking_number on returns for each row
  when (row(new.order_id, new.external_shipment_id, new.tracking_number)
    is distinct from row(old.order_id, old.external_shipment_id, old.tracking_number))
  execute function join_scans_of_return();

create function join_scans_of_shipment() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform join_scans_of(new.seller_id, array[new.tracking_number, new.external_shipment_id]);
  return null;
end $$;
create trigger scans_join_new_shipment after insert on shipments for each row execute function join_scans_of_shipment();
create trigger scans_join_shipment after update of order_id, external_shipment_id, tracking_number on shipments for each row
  when (row(new.order_id, new.external_shipment_id, new.tracking_number)
    is distinct from row(old.order_id, old.external_shipment_id, old.tracking_number))
  execute function join_scans_of_shipment();

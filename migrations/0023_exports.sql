-- Exports: a list with its filters as a CSV file, or everything of a seller as an archive. As with runs, the row is the truth and the
-- queue's message only announces it, so any message may be lost or repeated.
--
-- An export is read in the name of the member who asked for it. Each page enters the scope anew (enter_export), so a member who was
-- removed, lost the right or is in a suspended seller gets nothing more.
set local role robnu_owner;
set local search_path = robnu;

-- The permission that the list's own route needs (EXPORTABLE in functions/api/src/exportable.rs; a test compares them). Everything at once
-- is for those who may also close the seller: owners, and no staff.
create function export_right(list text) returns text
language sql immutable parallel safe
return case list when 'payouts' then 'payouts.read' when 'audit' then 'audit.read' when 'everything' then 'seller.close' else 'read' end;
grant execute on function export_right(text) to robnu_tenant;

create table exports (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  list text not null check (list in ('orders', 'shipments', 'returns', 'claims', 'payouts', 'listings', 'inventory', 'runs',
    'quarantine', 'audit', 'accounts', 'members', 'documents', 'imports', 'everything')),
  -- Names and values as in the list's query string, checked by the list itself.
  filters jsonb not null check (jsonb_typeof(filters) = 'object'),
  -- The member in whose name it is read. The trigger fills it in, so nobody asks in another's name. Null: the seller was closed.
  requested_by uuid references people (id),
  state text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  -- Only the holder of the latest attempt may write, while its lease lives. The attempt number is the fencing token.
  attempt integer not null default 0,
  lease_expires_at timestamptz,
  -- Attempts since a part was last stored. It bounds an export that crashes or fails over and over.
  fruitless_attempts integer not null default 0,
  -- What the parts that are stored hold, and where the next part begins. Each part is committed with these.
  page_cursor text,
  read_to_end boolean not null default false,
  row_count bigint not null default 0 check (row_count >= 0),
  byte_count bigint not null default 0 check (byte_count >= 0),
  -- The upload in progress, and an entry for each of its parts: the part's ETag and its SHA-256, as S3 writes them. A finished export
  -- without a file that still has an upload waits for the exporter to abort it.
  upload_id text,
  parts text[] not null default '{}',
  -- What the next part of an archive needs to know of those before, beside where the next page begins. Only the exporter reads it.
  progress text,
  error_code text check (error_code in ('not_a_member', 'not_permitted', 'seller_suspended', 'list_changed', 'failing', 'too_large')),
  -- The file, once it is whole. It has the export's id.
  object_id uuid,
  queued_at timestamptz not null default now(),
  -- When its last message was sent. A sweep sends another when nobody answers.
  sent_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  -- When the mail was handed over, or was to be: set once, before the mail, so that there are never two.
  mailed_at timestamptz,
  -- From when the file can no longer be had. The bucket deletes it then.
  expires_at timestamptz,
  primary key (seller_id, id),
  foreign key (seller_id, object_id) references storage_objects (seller_id, id),
  check ((state = 'SUCCEEDED') = (object_id is not null)),
  check ((state = 'SUCCEEDED') = (expires_at is not null)),
  check ((state = 'FAILED') = (error_code is not null)),
  check ((state in ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at is not null)),
  check (requested_by is not null or finished_at is not null)
);
-- The sweep looks for these across sellers; there are few at any time. The other index serves the bound on live ones.
create index exports_with_work on exports (sent_at) where state in ('QUEUED', 'RUNNING') or upload_id is not null;
create index exports_live on exports (seller_id) where state in ('QUEUED', 'RUNNING');
create index exports_by_object on exports (seller_id, object_id);
create index exports_by_person on exports (requested_by);

call protect_tenant_table('exports');
-- An export is seen by whoever may make one and may read its list: an export of payouts by nobody who may not read payouts.
create policy select_needs_right on exports as restrictive for select to robnu_tenant
  using ((select app_may('exports.run')) or ((select app_may('exports.create')) and (select app_may(export_right(list)))));
create policy insert_needs_right on exports as restrictive for insert to robnu_tenant
  with check ((select app_may('exports.create')) and (select app_may(export_right(list))));
create policy update_needs_right on exports as restrictive for update to robnu_tenant
  using ((select app_may_any('exports.create', 'exports.run'))) with check ((select app_may_any('exports.create', 'exports.run')));
grant select,
  insert (seller_id, id, list, filters),
  update (state, attempt, lease_expires_at, fruitless_attempts, page_cursor, read_to_end, row_count, byte_count, upload_id, parts, progress,
    error_code, sent_at, started_at, finished_at)
  on exports to robnu_tenant;

-- Until when a file can be had: a seller that closes has its files until then. A file with everything, asked for before, can be had for
-- three days, for which the closing waits (waits_for_archive in 0024_closing.sql).
create function export_until(list text, queued_at timestamptz, finished_at timestamptz, expires_at timestamptz, closes_at timestamptz)
returns timestamptz
language sql stable parallel safe
return least(expires_at,
  case when list = 'everything' and queued_at < closes_at then greatest(closes_at, finished_at + interval '3 days') else closes_at end);
grant execute on function export_until(text, timestamptz, timestamptz, timestamptz, timestamptz) to robnu_tenant;

-- Bounds exports: at most three of a seller that are not finished, and 50 within 24 hours. It reads 50 rows at most. The seller's row
-- is locked, so that requests at the same moment count each other. SECURITY DEFINER because it locks a row that its caller may not
-- change, and counts exports that its caller may not see.
create function limit_exports() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may('exports.create') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  new.requested_by := nullif(current_setting('app.actor_id', true), '')::uuid;
  perform from sellers where seller_id = new.seller_id for no key update;
  if (select count(*) from exports e where e.seller_id = new.seller_id and e.state in ('QUEUED', 'RUNNING')) >= 3 then
    raise exception 'three exports are not finished' using errcode = 'check_violation', constraint = 'exports_live';
  end if;
  if (
    select count(*) from (
      select from exports e where e.seller_id = new.seller_id and e.id > (select uuidv7(interval '-1 day')) limit 50
    ) today) >= 50
  then
    raise exception 'fifty exports were asked for today' using errcode = 'check_violation', constraint = 'exports_a_day';
  end if;
  return new;
end $$;
create trigger limit_exports before insert on exports for each row execute function limit_exports();

-- A finished export stays as it is.
create function keep_finished_export() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the export is finished' using errcode = 'check_violation', constraint = 'exports_finished';
end $$;
create trigger keep_finished_export before update of state, row_count, byte_count, object_id, expires_at on exports for each row
  when (old.state in ('SUCCEEDED', 'FAILED', 'CANCELLED')) execute function keep_finished_export();

create trigger audit after insert on exports for each row execute function audit_row('export', 'id', 'list', 'filters');
create trigger audit_cancel after update of state on exports for each row when (new.state = 'CANCELLED')
  execute function audit_row('export', 'id', 'list', 'state');

-- Records that a member is about to download an export that they may see. SECURITY DEFINER because members may not write audit events.
create function open_export(export uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  of_list text;
begin
  if not app_may('exports.create') then
    raise exception 'the scope may not make exports' using errcode = 'insufficient_privilege';
  end if;
  select e.list into of_list from exports e
  where e.seller_id = app_current_seller_id() and e.id = export and e.state = 'SUCCEEDED' and e.expires_at > now()
    and app_may(export_right(e.list));
  if found then
    perform write_audit_event(app_current_seller_id(), 'export.opened', export, '{}', jsonb_build_object('list', of_list));
  end if;
end $$;
grant execute on function open_export(uuid) to robnu_tenant;

-- ---- The exporter ----

-- Admits the exporter to the bookkeeping of one export: its row, and nothing that the seller owns. Raises RB002 when there is no such
-- export. It does not ask whether the seller is suspended, because the export of a suspended seller must be able to fail.
create function admit_exporter(seller uuid, export uuid) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform from exports e where e.seller_id = seller and e.id = export;
  if not found then
    raise exception 'the seller has no such export' using errcode = 'RB002';
  end if;
  return set_scope(seller::text, '', 'SYSTEM', '', '', 'exports.run');
end $$;
create function enter_exporter(seller uuid, export uuid) returns text
language sql
return concat(robnu.admit_exporter(seller, export), set_config('role', 'robnu_tenant', true));

-- Admits the exporter in the name of the member who asked for an export that is running, to read a list that needs a permission. The
-- scope holds the member's reading permissions only, without customers' data. Raises RB004 when the export is not running, RB001 when
-- the member has left, insufficient_privilege when their role no longer allows the list or exports, and RB005 while the seller is
-- suspended.
create function admit_export(seller uuid, export uuid, needs text) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  person uuid;
  subject text;
  of_list text;
  held text[];
  suspended boolean;
begin
  if needs is null or needs = '' then
    raise exception 'the export does not state what it needs' using errcode = 'insufficient_privilege';
  end if;
  select e.requested_by, p.subject, e.list, s.suspended_at is not null into person, subject, of_list, suspended
  from exports e join people p on p.id = e.requested_by join sellers s on s.seller_id = e.seller_id
  where e.seller_id = seller and e.id = export and e.state = 'RUNNING';
  if not found then
    raise exception 'the export is not running' using errcode = 'RB004';
  end if;
  select string_to_array(app_role_rights(m.role), ',') into held from members m where m.seller_id = seller and m.person_id = person;
  if not found then
    raise exception 'no membership of this seller' using errcode = 'RB001';
  end if;
  -- A member without a role holds null.
  if (held @> array['exports.create', export_right(of_list), needs]) is not true then
    raise exception 'the role does not allow this export' using errcode = 'insufficient_privilege';
  end if;
  if suspended then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
  return concat(
    set_scope(seller::text, subject, 'MEMBER', person::text, '',
      (select string_agg(permission, ',') from unnest(held) as permission where permission in ('read', 'audit.read', 'payouts.read'))),
    limit_statements(false));
end $$;
create function enter_export(seller uuid, export uuid, needs text) returns text
language sql
return concat(robnu.admit_export(seller, export, needs), set_config('role', 'robnu_tenant', true));
grant execute on function admit_exporter(uuid, uuid), enter_exporter(uuid, uuid), admit_export(uuid, uuid, text),
  enter_export(uuid, uuid, text), enter_system(text), set_scope(text, text, text, text, text, text) to robnu_exporter;

-- Ends an export with its file, and returns the address of the member to mail, null when they have left, and until when the file can be
-- had. The mail is claimed here, so that there are never two. Raises RB004 when another attempt has taken the export over. SECURITY DEFINER
-- because the exporter's scope sees neither files nor addresses.
create function finish_export(export uuid, by_attempt integer, bucket text, kms_key text, version_id text, digest bytea, file_name text,
  content_type text)
returns table (mail_to text, until timestamptz)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
  done exports;
begin
  if not app_may('exports.run') then
    raise exception 'only the exporter finishes exports' using errcode = 'insufficient_privilege';
  end if;
  select e.* into done from exports e
  where e.seller_id = seller and e.id = export and e.attempt = by_attempt and e.state = 'RUNNING' and e.read_to_end
  for update;
  if not found then
    raise exception 'another attempt has taken the export over' using errcode = 'RB004';
  end if;
  insert into storage_objects (seller_id, id, kind, time_folder, bucket, content_type, size, checksum, kms_key, version_id, file_name, state,
    created_by, stored_at)
  values (seller, export, 'EXPORT', to_char(done.queued_at at time zone 'utc', 'YYYY-MM-DD'), bucket, content_type, done.byte_count, digest,
    kms_key, version_id, file_name, 'STORED', done.requested_by, now());
  update exports
  set state = 'SUCCEEDED', object_id = export, finished_at = now(), mailed_at = now(), expires_at = now() + interval '30 days',
    lease_expires_at = null, page_cursor = null, upload_id = null, parts = '{}', progress = null
  where seller_id = seller and id = export;
  return query
    select p.email, export_until(e.list, e.queued_at, e.finished_at, e.expires_at, s.closes_at)
    from exports e
    join sellers s on s.seller_id = e.seller_id
    left join members m on m.seller_id = e.seller_id and m.person_id = e.requested_by
    left join people p on p.id = m.person_id
    where e.seller_id = seller and e.id = export;
end $$;
grant execute on function finish_export(uuid, integer, text, text, text, bytea, text, text) to robnu_tenant;

-- The sweep of exports sees which export needs a message, and may note that it sent one.
create policy sweep on exports for all to robnu_system_exports using (true) with check (true);
grant select (seller_id, id, state, lease_expires_at, sent_at, upload_id), update (sent_at) on exports to robnu_system_exports;

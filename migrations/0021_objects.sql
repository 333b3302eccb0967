-- Objects: the files in the bucket, one row each. The row decides who sees a file; the bucket knows only keys. Which roles may
-- write documents stands in 0002_scopes.sql.
set local role robnu_owner;
set local search_path = robnu;

-- The key of an object. It is made of ids and codes alone, and begins with its kind and its seller. ObjectKey (shared/storage) makes
-- the same keys; a test compares them.
create function object_key(kind text, seller uuid, account uuid, parent text, document_type text, marketplace_code text,
  time_folder text, id uuid) returns text
language sql immutable parallel safe
return case kind
  when 'DOCUMENT' then concat_ws('/', 'documents', seller, account, parent, replace(lower(document_type), '_', '-'), id)
  when 'IMPORT' then concat_ws('/', 'imports', seller, account, id, marketplace_code)
  when 'RAW_PAGES' then concat_ws('/', 'raw-payloads', seller, marketplace_code, time_folder, concat(id, '.jsonl.gz'))
  when 'EXPORT' then concat_ws('/', 'exports', seller, time_folder, id)
end;
grant execute on function object_key(text, uuid, uuid, text, text, text, text, uuid) to robnu_tenant;

create table storage_objects (
  seller_id uuid not null,
  -- For a file that is imported or exported, the id of the import or the export.
  id uuid not null default uuidv7(),
  -- Null for exports, which span accounts.
  account_id uuid,
  kind text not null check (kind in ('DOCUMENT', 'IMPORT', 'RAW_PAGES', 'EXPORT')),
  document_type text check (document_type in ('INVOICE', 'LABEL', 'PACKING_SLIP', 'PROOF_PHOTO', 'PROOF_VIDEO', 'COURIER_SLIP', 'OTHER')),
  -- What a document belongs to, and what that belongs to in turn: a claim, its return and the return's order. The key names the
  -- first of claim, return, shipment and order.
  order_id uuid,
  shipment_id uuid,
  claim_id uuid,
  return_id uuid,
  marketplace_code text references marketplaces (code),
  -- The date, or the date and the hour, in UTC.
  time_folder text check (time_folder ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{2})?$'),
  bucket text not null,
  key text not null generated always as (object_key(kind, seller_id, account_id,
    case
      when claim_id is not null then 'claims/' || claim_id::text
      when return_id is not null then 'returns/' || return_id::text
      when shipment_id is not null then 'shipments/' || shipment_id::text
      when order_id is not null then 'orders/' || order_id::text
    end,
    document_type, marketplace_code, time_folder, id)) stored,
  content_type text not null,
  -- One request of S3 writes 5 GiB at most, and an archive of everything has 40 GiB at most.
  size bigint not null check (size between 0 and case kind when 'EXPORT' then 42949672960 else 5368709120 end),
  -- SHA-256 of the content.
  checksum bytea not null check (length(checksum) = 32),
  -- The KMS key as S3 was told: an id, an ARN or an alias.
  kms_key text not null,
  version_id text,
  -- As the user gave it, cleaned. It is shown and never part of a key.
  file_name text check (length(file_name) between 1 and 200),
  -- AWAITED: the row is there and the object may not be.
  state text not null default 'AWAITED' check (state in ('AWAITED', 'STORED', 'DELETED')),
  -- The member who made it; null: staff or a job did. The trigger fills it in.
  created_by uuid references people (id),
  created_at timestamptz not null default now(),
  stored_at timestamptz,
  deleted_at timestamptz,
  primary key (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, order_id) references orders (seller_id, id),
  foreign key (seller_id, shipment_id) references shipments (seller_id, id),
  foreign key (seller_id, claim_id) references claims (seller_id, id),
  foreign key (seller_id, return_id) references returns (seller_id, id),
  check ((kind = 'DOCUMENT') = (document_type is not null)),
  check ((num_nonnulls(order_id, shipment_id, claim_id, return_id) > 0) = (kind = 'DOCUMENT')),
  check ((kind = 'EXPORT') = (account_id is null)),
  check ((kind in ('IMPORT', 'RAW_PAGES')) = (marketplace_code is not null)),
  check ((kind in ('RAW_PAGES', 'EXPORT')) = (time_folder is not null)),
  check (kind <> 'DOCUMENT' or file_name is not null)
);
-- The list of documents, and the files that an archive of everything holds.
create index storage_objects_files on storage_objects (seller_id, id) where kind in ('DOCUMENT', 'IMPORT');
-- Lists go by id, which goes by time. NULLS LAST, although there are no nulls: the narrower lists ask for that order, which the
-- first index does not have.
create index storage_objects_by_account on storage_objects (seller_id, account_id, kind, id desc nulls last);
create index storage_objects_by_order on storage_objects (seller_id, order_id, id desc nulls last);
create index storage_objects_by_shipment on storage_objects (seller_id, shipment_id, id desc nulls last);
create index storage_objects_by_claim on storage_objects (seller_id, claim_id, id desc nulls last);
create index storage_objects_by_return on storage_objects (seller_id, return_id, id desc nulls last);
create index storage_objects_by_person on storage_objects (created_by);
create index storage_objects_awaited on storage_objects (seller_id, id) where state = 'AWAITED';

call protect_tenant_table('storage_objects');
call require_right_to_read('storage_objects', 'read', 'ingest');
create policy insert_needs_right on storage_objects as restrictive for insert to robnu_tenant
  with check (case kind
    when 'DOCUMENT' then (select app_may_any('documents.write', 'ingest'))
    when 'IMPORT' then (select app_may_any('sync.run', 'sync.payouts', 'ingest'))
    when 'EXPORT' then (select app_may_any('exports.create', 'ingest'))
    else (select app_may('ingest')) end);
create policy update_needs_right on storage_objects as restrictive for update to robnu_tenant
  using (case kind
    when 'DOCUMENT' then (select app_may_any('documents.write', 'ingest'))
    when 'IMPORT' then (select app_may_any('sync.run', 'sync.payouts', 'ingest'))
    when 'EXPORT' then (select app_may_any('exports.create', 'ingest'))
    else (select app_may('ingest')) end);
grant select,
  insert (seller_id, id, account_id, kind, document_type, order_id, shipment_id, claim_id, return_id, marketplace_code, time_folder, bucket,
    content_type, size, checksum, kms_key, file_name),
  update (state, version_id)
  on storage_objects to robnu_tenant;

-- Bounds what members upload: 100 uploads of the last hour that are not complete, and 2,000 files and 20 GiB within 24 hours. It
-- reads 2,000 rows at most. The seller's row is locked, so that requests at the same moment count each other. SECURITY DEFINER
-- because it locks a row that its caller may not change.
create function limit_uploads() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  files integer;
  bytes bigint;
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may_any('documents.write', 'sync.run', 'exports.create') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  new.created_by := case when current_setting('app.actor_kind', true) = 'MEMBER' then nullif(current_setting('app.actor_id', true), '')::uuid end;
  perform from sellers where seller_id = new.seller_id for no key update;
  if (
    select count(*) from (
      select from storage_objects o
      where o.seller_id = new.seller_id and o.state = 'AWAITED' and o.id > (select uuidv7(interval '-1 hour'))
      limit 100
    ) awaited) >= 100
  then
    raise exception 'too many uploads are not complete' using errcode = 'check_violation', constraint = 'storage_objects_awaited';
  end if;
  select count(*), coalesce(sum(o.size), 0) into files, bytes
  from (
    select size from storage_objects
    where seller_id = new.seller_id and id > (select uuidv7(interval '-1 day')) and kind in ('DOCUMENT', 'IMPORT')
    limit 2000
  ) o;
  if files >= 2000 or bytes + new.size > 20 * 1024::bigint ^ 3 then
    raise exception 'too much was uploaded today' using errcode = 'check_violation', constraint = 'storage_objects_a_day';
  end if;
  return new;
end $$;
create trigger limit_uploads before insert on storage_objects for each row execute function limit_uploads();

-- An object is awaited, stored and deleted, in this order, and no state comes back.
create function step_object() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if (old.state, new.state) not in (('AWAITED', 'STORED'), ('AWAITED', 'DELETED'), ('STORED', 'DELETED')) then
    raise exception 'the object has no such step' using errcode = 'check_violation', constraint = 'storage_objects_step';
  end if;
  new.stored_at := case when new.state = 'STORED' then now() else old.stored_at end;
  new.deleted_at := case when new.state = 'DELETED' then now() end;
  return new;
end $$;
create trigger step_object before update of state on storage_objects for each row when (new.state <> old.state)
  execute function step_object();

-- Documents are in the trail. Other objects belong to imports, runs and exports, which have records of their own.
create trigger audit after insert or update of state on storage_objects for each row when (new.kind = 'DOCUMENT')
  execute function audit_row('document', 'id', 'document_type', 'order_id', 'shipment_id', 'claim_id', 'return_id', 'state', 'size');

-- Whether documents of a type hold a customer's data.
create function holds_customer(document_type text) returns boolean
language sql immutable parallel safe
return document_type in ('INVOICE', 'LABEL');
grant execute on function holds_customer(text) to robnu_tenant;

-- Records that a member is about to download a document, if it holds a customer's data, and refuses anyone who may not read
-- customers. SECURITY DEFINER because members may not write audit events.
create function open_document(document uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  type_of_document text;
begin
  if not app_may('read') then
    raise exception 'the scope may not read documents' using errcode = 'insufficient_privilege';
  end if;
  select o.document_type into type_of_document
  from storage_objects o
  where o.seller_id = app_current_seller_id() and o.id = document and o.kind = 'DOCUMENT' and o.state = 'STORED'
    and holds_customer(o.document_type);
  if not found then
    return;
  end if;
  if not app_may('pii.read') then
    raise exception 'the scope may not read customers' using errcode = 'insufficient_privilege';
  end if;
  perform write_audit_event(app_current_seller_id(), 'document.opened', document, '{}',
    jsonb_build_object('document_type', type_of_document));
end $$;
grant execute on function open_document(uuid) to robnu_tenant;

-- Imports: files of marketplaces that members upload.
set local role robnu_owner;
set local search_path = robnu;

-- An import is an object of kind IMPORT (storage_objects), which knows the file's name, size and checksum. Its run says how far it is.
create table imports (
  seller_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  -- How dates are to be read that could have the day or the month first; null: as the file's other rows tell.
  date_order text check (date_order in ('DAY_FIRST', 'MONTH_FIRST')),
  -- The run that reads the file; null until the file has arrived.
  run_id uuid,
  -- Whether whoever asked for it may import payments only.
  only_payments boolean not null default false,
  -- What the file turned out to be, such as MEESHO_ORDERS; null until it was recognised.
  recognised_as text check (recognised_as ~ '^[A-Z][A-Z0-9_]{1,63}$'),
  -- The earlier import of the account whose file this one corrects.
  corrects uuid,
  -- How many records of the two files differ; null without an earlier file, and until the first records were compared.
  records_added integer,
  records_changed integer,
  records_missing integer,
  primary key (seller_id, id),
  check (corrects <> id),
  foreign key (seller_id, corrects) references imports (seller_id, id),
  foreign key (seller_id, id) references storage_objects (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, run_id) references sync_runs (seller_id, id)
);
create index imports_by_account on imports (seller_id, account_id, id desc);
create index imports_by_run on imports (seller_id, run_id);
create index imports_by_corrected on imports (seller_id, corrects);
-- Whose notice the scheduling sweep finds missing, across sellers.
create index imports_without_run on imports (id) where run_id is null;
-- Finds the same file again.
create index storage_objects_imports on storage_objects (seller_id, account_id, checksum, id desc) where kind = 'IMPORT';
call protect_tenant_table('imports');
call require_right_to_read('imports', 'read', 'ingest');
create policy insert_needs_right on imports as restrictive for insert to robnu_tenant
  with check ((select app_may('sync.run')) or (only_payments and (select app_may('sync.payouts'))));
-- A job notes that the file has come and what it is.
call require_right_to_write('imports', 'ingest', 'update');
call audit('imports', 'insert', 'import', 'id', 'account_id');
-- The scheduling sweep begins imports whose notice was lost. It sees neither files nor what they are.
create policy sweep on imports for all to robnu_system_sweep using (true) with check (true);
grant select (seller_id, id, account_id, run_id), update (run_id) on imports to robnu_system_sweep;
grant select, insert (seller_id, id, account_id, date_order, only_payments, corrects),
  update (run_id, recognised_as, records_added, records_changed, records_missing)
  on imports to robnu_tenant;

-- How a corrected file differs from the earlier one, record by record. Values are as in the files, without customers' data.
create table import_changes (
  seller_id uuid not null,
  import_id uuid not null,
  -- In the order in which the files were compared: by stream and by the marketplace's id of the record.
  number integer not null,
  stream text not null check (stream in ('ORDERS', 'RETURNS', 'PAYOUTS')),
  external_id text not null,
  -- Whether only the corrected file has the record, or both do with other values, or only the earlier file.
  change text not null check (change in ('ADDED', 'CHANGED', 'MISSING')),
  -- [{"field", "before", "after"}] of a record that changed, and how many more fields there are.
  fields jsonb not null,
  fields_left_out integer not null,
  primary key (seller_id, import_id, number),
  foreign key (seller_id, import_id) references imports (seller_id, id)
);
call protect_tenant_table('import_changes');
-- Changes of payouts are for those who may read payouts.
create policy select_needs_right on import_changes as restrictive for select to robnu_tenant
  using ((select app_may('read')) and (stream <> 'PAYOUTS' or (select app_may('payouts.read'))));
call require_right_to_write('import_changes', 'ingest', 'insert');
grant select, insert (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out) on import_changes to robnu_tenant;

-- The reviewed lists, and the views that the rules read. They are temporary views, so that a rule sees the present catalogue.
-- A name is added here only with a reason, because each is an exception to a rule.

-- Relations that belong to no seller. Everything else in the schema is a tenant table.
create temp view global_tables (name) as values ('orgs'), ('people'), ('run_kinds'), ('marketplaces'),
  ('marketplace_kinds'), ('claim_terms'), ('schema_migrations'),
  ('staff'), ('person_requests'), ('person_changes'),
  ('person_idempotency_keys'), ('mail_counts'), ('sign_up_counts'), ('sign_up_key'), ('credential_checks'),
  ('dead_letters'), ('dead_letter_actions'), ('hold_actions');

create temp view scope_roles (name) as values
  ('robnu_tenant'), ('robnu_person'), ('robnu_staff'), ('robnu_tenant_sweep'), ('robnu_system_sweep'), ('robnu_system_lanes'),
  ('robnu_system_retention'), ('robnu_system_closing'), ('robnu_system_exports'), ('robnu_system_redrive');
-- Roles that may have policies that are `true`: their column grants bound what they see of every seller.
create temp view system_roles (name) as
  values ('robnu_system_sweep'), ('robnu_system_lanes'), ('robnu_system_exports'), ('robnu_system_redrive');
-- Roles that see every seller, also in few columns, while the person of the transaction is a staff member.
create temp view staff_roles (name) as values ('robnu_staff');
-- Roles of the platform's own work in one seller's scope: they see only that seller.
create temp view inner_roles (name) as values ('robnu_tenant_sweep');
-- Roles that may have expired rows of all sellers deleted, or rows of sellers that are closed: they see no young row.
create temp view forgetting_roles (name) as values ('robnu_system_retention'), ('robnu_system_closing');
-- Roles that hold nothing on future columns.
create temp view column_roles (name) as
  select name from system_roles union all select name from staff_roles
  union all select name from inner_roles union all select name from forgetting_roles;
create temp view login_roles (name) as
  values ('robnu_api'), ('robnu_adapter'), ('robnu_sweep'), ('robnu_lanes'), ('robnu_exporter'), ('robnu_redrive');

-- Functions that run with the owner's rights. The migration that makes a function states its reason.
create temp view definer_functions (name) as values
  ('sign_up_seller(uuid, text, text, uuid, bytea, text, text)'), ('rewrap_new_key(uuid, uuid, bytea, bytea, text)'),
  ('keep_an_owner()'), ('audit_row()'), ('accept_invitation(bytea, text)'), ('count_request(text, uuid)'), ('check_sign_up(text, text)'), ('open_credentials(uuid, text)'), ('forget_credentials(uuid)'),
  ('replace_ajio_account_details(uuid, text, bytea)'),
  ('replace_amazon_account_details(uuid, text, bytea, bytea)'),
  ('replace_flipkart_account_details(uuid, text, bytea, bytea, text)'),
  ('replace_meesho_account_details(uuid, text, bytea, bytea)'),
  ('use_authorization(bytea, bytea)'),
  ('open_customer(uuid)'), ('returns_by_code(text)'), ('note_return_event()'), ('open_claim()'), ('note_claim_event()'), ('reopen_claim_with_evidence()'),
  ('set_claim_dates()'), ('keep_claimed_condition()'), ('join_new_scan()'), ('join_scans_of_return()'), ('join_scans_of_shipment()'),
  ('limit_mails()'), ('limit_new_accounts()'), ('limit_lane_openings()'), ('end_runs_of_retired_lane()'), ('room_of(text)'), ('has_room(text)'),
  ('begin_credential_check(uuid, text, bytea, uuid)'), ('end_credential_check(uuid, text)'), ('note_refused_credentials(text, bytea, uuid)'),
  ('retry_quarantined(uuid, text, uuid)'), ('take_quarantined(uuid, text, integer)'), ('settle_quarantined(uuid, uuid[], text[])'),
  ('take_raw_pages(integer, bigint)'), ('keep_raw_pages(uuid, text, bigint, bytea, text, text)'),
  ('limit_uploads()'), ('open_document(uuid)'),
  ('limit_exports()'), ('open_export(uuid)'), ('finish_export(uuid, integer, text, text, text, bytea, text, text)'),
  ('limit_asked_runs()'), ('count_change()'), ('count_new_orders()'), ('count_moved_orders()'), ('find_usage(uuid, bigint)'), ('note_usage()'),
  ('ask_closing(text, text, uuid)'), ('take_closing_back()'), ('closings_due(uuid, bigint)'), ('close_again(uuid[])'),
  -- Functions that admit: one look-up each instead of four tables under the scope's own row level security.
  ('admit_member(text, uuid, text, boolean, boolean)'), ('admit_impersonation(text, uuid, uuid, text, boolean, boolean)'),
  ('admit_staff(text, boolean)'), ('admit_person(text, boolean)'), ('admit_job(uuid, uuid, boolean)'), ('admit_sweep(uuid)'),
  ('admit_exporter(uuid, uuid)'), ('admit_export(uuid, uuid, text)'),
  -- Functions that delete: a holder of DELETE on a table could lock the table.
  ('remove_member(uuid, integer)'), ('remove_schedule(uuid, text, integer)'), ('discard_scan(uuid, text)'),
  ('remove_vanished_items(uuid, text[], text[], timestamp with time zone[], text[], text[])'),
  ('remove_superseded_payout_entries(uuid, text[], integer[], boolean[], text[], text[])'),
  ('remove_vanished_payout_lines(uuid, text[], integer[], bytea[], integer[])'),
  ('remove_vanished_return_items(uuid, text[], text[], timestamp with time zone[], text[], text[])'), ('forget(text, bigint)'), ('advance_closing(uuid, text, bigint)'),
  -- New data keys.
  ('add_data_key(uuid, uuid, bytea, text)'), ('sealed_by_older_keys(text, text, uuid, bigint)'), ('seal_anew(text, text, uuid[], bytea[], bytea[])'),
  ('seal_records_anew(uuid[], bytea[], bytea[], bytea[])'), ('drop_data_key(uuid)');

-- Tables from which those functions delete. Rows that refer to them need an index to be found by.
create temp view shrinking_tables (name) as values
  ('members'), ('schedules'), ('order_items'), ('idempotency_keys'), ('person_idempotency_keys'), ('account_authorizations'),
  ('request_counts'), ('person_requests'), ('mail_counts'), ('lane_openings'), ('sign_up_counts'), ('credential_checks'),
  ('audit_events'), ('quarantined_records'), ('raw_pages'), ('dead_letters'), ('unmatched_scans'), ('people'), ('seller_keys'), ('invitations'), ('order_pii'),
  ('ajio_account_details'), ('amazon_account_details'), ('flipkart_account_details'), ('meesho_account_details'), ('access_tokens'),
  ('payout_entries'), ('payout_lines');

-- Tables that a scope may write without an audit event: marketplaces' data, logs, and rows that change with every request.
-- People's changes to them are recorded elsewhere: credentials by the account's credentials_generation.
-- Only a sign-up and the key sweep write data keys, and they change the wrapping alone; KMS's own trail has each of its calls. Keys that
-- come and go later are recorded by the functions that add and delete them. Imports are recorded; how a file differs is what it says.
create temp view unaudited_tables (name) as values
  ('orders'), ('order_items'), ('shipments'), ('quarantined_records'), ('raw_pages'), ('credential_events'), ('idempotency_keys'),
  ('ajio_account_details'), ('amazon_account_details'), ('flipkart_account_details'), ('meesho_account_details'),
  ('order_pii'), ('return_items'), ('return_events'), ('sync_run_counts'), ('watermarks'), ('call_buckets'), ('access_tokens'), ('payouts'), ('payout_entries'), ('payout_lines'), ('announced_amounts'), ('payout_changes'), ('listings'), ('inventory'),
  ('seller_keys'), ('import_changes');

-- Columns that hold untyped values: those that audit events show of rows of any table, the filters of any list, the fields of any record
-- that a corrected file changes, columns of marketplaces' files that no mapping knows, and entries as a later run found and left them.
create temp view untyped_columns (table_name, column_name) as
  values ('audit_events', 'shown'), ('exports', 'filters'), ('import_changes', 'fields'),
  ('payout_entries', 'other'), ('payout_changes', 'before'), ('payout_changes', 'after');

-- Columns of bytes that are neither ciphertext under a seller's key nor a hash: that key, wrapped by KMS, and the key of sign-up counts.
create temp view other_bytes (table_name, column_name) as values ('seller_keys', 'wrapped_key'), ('sign_up_key', 'key');

-- Our relations, in whatever schema they are.
create temp view relations as
select c.oid, c.relname::text as name, n.nspname::text as schema, c.relkind as kind, c.relowner::regrole::text as owner,
  c.relrowsecurity as enabled, c.relforcerowsecurity as forced, c.reloptions as options, c.relacl as acl
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S');

create temp view tenant_tables as
select * from relations where kind in ('r', 'p') and (schema <> 'robnu' or name not in (select name from global_tables));

-- Policies, one row per role that they apply to.
create temp view policies as
select r.oid as relation, r.name as table_name, p.polname::text as name, p.polpermissive as permissive, p.polcmd as command,
  case when role = 0 then 'public' else role::regrole::text end as role,
  pg_get_expr(p.polqual, p.polrelid) as "using", pg_get_expr(p.polwithcheck, p.polrelid) as with_check
from relations r join pg_policy p on p.polrelid = r.oid cross join unnest(p.polroles) as role;

-- Which role may do what to relations and columns, without the owners.
create temp view grants as
select r.oid as relation, r.name as table_name, null::text as column_name, g.grantor, g.grantee,
  case when g.grantee = 0 then 'public' else g.grantee::regrole::text end as role, lower(g.privilege_type) as verb, g.is_grantable
from relations r, aclexplode(r.acl) g
where g.grantee <> r.owner::regrole
union all
select r.oid, r.name, a.attname, g.grantor, g.grantee,
  case when g.grantee = 0 then 'public' else g.grantee::regrole::text end, lower(g.privilege_type), g.is_grantable
from relations r join pg_attribute a on a.attrelid = r.oid and not a.attisdropped, aclexplode(a.attacl) g
where g.grantee <> r.owner::regrole;

-- Our functions and procedures. Null rights mean PostgreSQL's default, which lets PUBLIC execute.
create temp view functions as
select p.oid, n.nspname::text as schema, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as signature,
  p.proname || '(' || coalesce((
    select string_agg(format_type(argument, null), ', ' order by position)
    from unnest(p.proargtypes) with ordinality as arguments (argument, position)), '') || ')' as name,
  p.proowner::regrole::text as owner, p.prosecdef as definer, p.proconfig as settings, p.prosqlbody is not null as resolved,
  coalesce(p.proacl, acldefault('f', p.proowner)) as acl
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- Our columns, with the base type of an array or a domain.
create temp view columns as
select r.oid as relation, r.name as table_name, a.attname::text as column_name, format_type(a.atttypid, a.atttypmod) as type,
  coalesce(e.typname, b.typname, t.typname)::text as element, a.attgenerated::text as generated
from relations r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_type b on b.oid = t.typbasetype
left join pg_type e on e.oid = case t.typcategory when 'A' then coalesce(nullif(t.typelem, 0), b.typelem) end
where r.kind in ('r', 'p');

-- Columns of money: by the last word of their name, or because only money is a decimal number.
create temp view money_columns as
select * from columns
where element = 'numeric'
  or column_name ~ '(^|_)(amount|mrp|price|value|total|subtotal|fees?|tax|gst|[cisu]gst|tcs|tds|costs?|charges?|refund|discount|commission|balance|penalty)$';

-- Sums of any number of amounts, which need more room than an amount.
create temp view sum_columns (table_name, column_name) as values ('payouts', 'net_amount'), ('announced_amounts', 'amount');

-- Satellite tables, one per marketplace, which hold how to sign in there.
create temp view satellites as select oid as relation, name from tenant_tables where name ~ '_account_details$';
-- Side tables, whose rows are the other half of another table's row.
create temp view side_tables (relation, name, parent) as
select relation, name, 'marketplace_accounts' from satellites
union all select 'robnu.order_pii'::regclass, 'order_pii', 'orders';
-- Tables that may hold ciphertext: side tables, the quarantine, raw pages and access tokens.
create temp view ciphertext_tables (name) as select name from side_tables union all values ('quarantined_records'), ('raw_pages'), ('access_tokens');
-- Those of them whose rows a job reads again and again, for its own account. It has opened the credentials before, which left an event.
create temp view own_account_tables (name) as values ('access_tokens');

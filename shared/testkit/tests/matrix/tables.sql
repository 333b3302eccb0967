-- The tenant tables and what robnu_tenant may do to them, column by column. They are read from the catalogue, so that a future
-- table is tried without being named anywhere.
select c.relname::text as table_name, a.attname::text as column_name, format_type(a.atttypid, a.atttypmod) as column_type,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'select') as selects,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'insert') as inserts,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'update') as updates,
  has_table_privilege('robnu_tenant', c.oid, 'delete') as deletes,
  -- Foreign keys to tenant tables that this column, other than seller_id, is part of.
  array(
    select k.conname::text from pg_constraint k
    where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey) and a.attname <> 'seller_id'
      and exists (select from pg_attribute p where p.attrelid = k.confrelid and p.attname = 'seller_id')
    order by k.conname) as foreign_keys
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'robnu'
-- Nobody writes a generated column, and it is read with the columns that it is made of.
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relkind in ('r', 'p', 'v') and c.relname not in (
  'orgs', 'people', 'run_kinds', 'marketplaces', 'marketplace_kinds', 'claim_terms', 'schema_migrations', 'staff', 'person_requests', 'person_changes',
  'person_idempotency_keys', 'mail_counts', 'sign_up_counts', 'sign_up_key', 'credential_checks', 'dead_letters', 'dead_letter_actions', 'hold_actions')
order by c.relname, a.attnum

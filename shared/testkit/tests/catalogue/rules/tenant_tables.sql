-- Every relation that is not on the list of global tables is a tenant table: it is in our schema, has seller_id uuid not null, and is
-- under enabled and forced row level security. Nothing else may hold rows: row security does not reach foreign tables and
-- materialized views, and a sequence counts across sellers.
select r.schema || '.' || r.name || ' ' || problem
from relations r cross join lateral (
  select 'is outside the schema robnu' as problem where r.schema <> 'robnu'
  union all
  select 'is a materialized view, which row level security does not reach' where r.kind = 'm'
  union all
  select 'is a foreign table, which row level security does not reach' where r.kind = 'f'
  union all
  select 'is a sequence, which counts across sellers' where r.kind = 'S'
) checks
union all
select t.name || ' ' || problem
from tenant_tables t cross join lateral (
  select 'has no column seller_id uuid not null' as problem
  where not exists (
    select from pg_attribute a
    where a.attrelid = t.oid and a.attname = 'seller_id' and a.atttypid = 'uuid'::regtype and a.attnotnull and not a.attisdropped)
  union all
  select 'does not enable row level security' where not t.enabled
  union all
  select 'does not force row level security on its owner' where not t.forced
) checks

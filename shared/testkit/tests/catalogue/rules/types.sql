-- Statuses are text with a check, because comparing enums is not leakproof, and no index serves such a comparison under row security.
select n.nspname || '.' || t.typname || ' is an enum type'
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'e' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
-- Floating point is not exact, the type money depends on the locale, and JSON does not say what it holds.
select c.table_name || '.' || c.column_name || ' is ' || c.type || ' and not on the reviewed list'
from columns c
where c.element in ('float4', 'float8', 'money', 'json', 'jsonb', 'xml', 'hstore')
  and (c.table_name, c.column_name) not in (select table_name, column_name from untyped_columns)

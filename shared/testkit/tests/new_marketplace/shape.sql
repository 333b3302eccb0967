-- The parts of the schema, in sentences that begin with their object: columns, constraints, indexes, policies, grants, triggers and
-- row security of every table; every function; and the registry's rows.
with tables as (
  select c.* from pg_class c where c.relnamespace = 'robnu'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
)
select t.relname || ': column ' || concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then 'not null' end, a.attgenerated::text, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)) as line
from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
union all
select t.relname || ': constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
from tables t join pg_constraint c on c.conrelid = t.oid
union all
select t.relname || ': ' || pg_get_indexdef(i.indexrelid) from tables t join pg_index i on i.indrelid = t.oid
union all
select t.relname || ': policy ' || concat_ws(' ', p.polname, p.polpermissive, p.polcmd::text, p.polroles::regrole[],
    pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
from tables t join pg_policy p on p.polrelid = t.oid
union all
select t.relname || ': grant ' || concat_ws(' ', a.attname, g.grantee::regrole, g.privilege_type, g.is_grantable)
from tables t join pg_attribute a on a.attrelid = t.oid and not a.attisdropped, aclexplode(a.attacl) g
union all
select t.relname || ': grant ' || concat_ws(' ', g.grantee::regrole, g.privilege_type, g.is_grantable)
from tables t, aclexplode(t.relacl) g
union all
-- The triggers of foreign keys that point here are covered by the constraints.
select t.relname || ': ' || pg_get_triggerdef(r.oid) || ' ' || r.tgenabled::text
from tables t join pg_trigger r on r.tgrelid = t.oid and not r.tgisinternal
union all
select t.relname || ': is ' || concat_ws(' ', t.relkind::text, t.relowner::regrole, t.relrowsecurity, t.relforcerowsecurity, t.relpersistence::text, t.reloptions)
from tables t
union all
select p.proname || ': function ' || p.prosecdef::text || ' ' || coalesce(p.proacl::text, '-') || ' ' || pg_get_functiondef(p.oid)
from pg_proc p where p.pronamespace = 'robnu'::regnamespace
union all
select 'marketplaces: row ' || m::text from robnu.marketplaces m
order by line

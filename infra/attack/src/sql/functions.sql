-- Every callable function and procedure of the schema, with the names and types of its parameters.
select p.proname::text as name, p.prokind = 'p' as is_procedure,
  array(select format_type(type, null) from unnest(p.proargtypes::oid[]) with ordinality as t (type, at) order by at) as types,
  coalesce(p.proargnames[1:p.pronargs], '{}')::text[] as names
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'robnu'
where p.prokind in ('f', 'p') and p.prorettype <> 'trigger'::regtype
order by p.proname, p.oid

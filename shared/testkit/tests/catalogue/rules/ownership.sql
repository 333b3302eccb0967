-- Nobody logs in as the owner, so only a migration changes what it owns.
select r.schema || '.' || r.name || ' is owned by ' || r.owner from relations r where r.owner <> 'robnu_owner'
union all
select f.schema || '.' || f.name || ' is owned by ' || f.owner from functions f where f.owner <> 'robnu_owner'
union all
select 'the schema ' || n.nspname || ' is owned by ' || n.nspowner::regrole
from pg_namespace n where n.nspname = 'robnu' and n.nspowner <> 'robnu_owner'::regrole
union all
select 'the schema ' || n.nspname || ' is not ours'
from pg_namespace n where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public', 'robnu')

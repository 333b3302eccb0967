-- Role × relation × verb, with the columns if a verb is granted by column; then functions, schema, database, and which role
-- may become which.
select role || ' | ' || table_name || ' | ' || verb || ' | '
  || coalesce('(' || string_agg(column_name, ', ' order by column_name) || ')', 'every column') as line,
  1 as part, role, table_name, verb
from grants group by role, table_name, verb
union all
select g.grantee::regrole || ' | ' || f.name || ' | execute', 2, g.grantee::regrole::text, f.name, ''
from functions f, aclexplode(f.acl) g where g.grantee not in (0, f.owner::regrole)
union all
select g.grantee::regrole || ' | schema ' || n.nspname || ' | ' || lower(g.privilege_type), 3, g.grantee::regrole::text, n.nspname, ''
from pg_namespace n, aclexplode(n.nspacl) g where n.nspname = 'robnu' and g.grantee not in (0, n.nspowner)
union all
select g.grantee::regrole || ' | the database | ' || lower(g.privilege_type), 4, g.grantee::regrole::text, '', ''
from pg_database d, aclexplode(d.datacl) g where d.datname = current_database() and g.grantee not in (0, d.datdba)
union all
select member::regrole || ' | may become ' || roleid::regrole, 5, member::regrole::text, roleid::regrole::text, ''
from pg_auth_members
where set_option and member::regrole::text ~ '^robnu_' and roleid::regrole::text ~ '^robnu_'
group by member, roleid
order by part, role, table_name, verb

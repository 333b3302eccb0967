-- Verbs are granted one by one to the scopes' roles. TRUNCATE ignores row security, and REFERENCES and TRIGGER reach around it.
-- DELETE is a right to a whole table, and so to LOCK it; functions of the owner delete instead. A login role holds nothing, so that a
-- forgotten scope is refused. PUBLIC is everybody.
select g.table_name || ': ' || g.role || ' holds ' || g.verb
from grants g where g.verb not in ('select', 'insert', 'update')
union all
select g.table_name || ': ' || g.role || ' may hand ' || g.verb || ' on' from grants g where g.is_grantable
union all
select g.table_name || coalesce('.' || g.column_name, '') || ': ' || g.role || ' holds ' || g.verb || ' and is not a scope''s role'
from grants g where g.role not in (select name from scope_roles)
union all
select g.table_name || ': ' || g.role || ' holds ' || g.verb || ' on columns yet to come; grant it by column'
from grants g join tenant_tables t on t.oid = g.relation
where g.column_name is null
  and (g.role in (select name from column_roles) or g.verb in ('insert', 'update'))
union all
select f.name || ' may be executed by everybody' from functions f, aclexplode(f.acl) g where g.grantee = 0
union all
select 'the schema ' || n.nspname || ' is open to everybody'
from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
where n.nspname in ('robnu', 'public') and g.grantee = 0
union all
select 'scopes may create in the schema: ' || g.grantee::regrole
from pg_namespace n, aclexplode(n.nspacl) g
where n.nspname = 'robnu' and g.privilege_type = 'CREATE' and g.grantee <> n.nspowner
union all
select 'the database is open to everybody: ' || lower(g.privilege_type)
from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g
where d.datname = current_database() and g.grantee = 0
union all
select g.grantee::regrole || ' may do more to the database than connect: ' || lower(g.privilege_type)
from pg_database d, aclexplode(d.datacl) g
where d.datname = current_database() and g.grantee not in (0, d.datdba) and g.privilege_type <> 'CONNECT'

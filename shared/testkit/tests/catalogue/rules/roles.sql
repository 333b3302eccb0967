-- None of our roles bypasses row security, and none inherits: a login role has a scope's rights only after entering it.
-- robnu_master stands in for Aurora's master user and is not a role of the migrations.
select r.rolname || ' has ' || attribute
from pg_roles r cross join lateral unnest(
  case when r.rolsuper then array['superuser'] end || case when r.rolbypassrls then array['bypassrls'] end
  || case when r.rolcreaterole then array['createrole'] end || case when r.rolcreatedb then array['createdb'] end
  || case when r.rolreplication then array['replication'] end) as attribute
where r.rolname ~ '^robnu_' and (r.rolname <> 'robnu_master' or attribute in ('superuser', 'bypassrls', 'replication'))
union all
select r.rolname || ' can log in and is not on the list of login roles'
from pg_roles r
where r.rolname ~ '^robnu_' and r.rolcanlogin and r.rolname <> 'robnu_master' and r.rolname not in (select name from login_roles)
union all
select m.member::regrole || ' inherits ' || m.roleid::regrole
from pg_auth_members m
where m.inherit_option and (m.roleid::regrole::text ~ '^robnu_' or m.member::regrole::text ~ '^robnu_')
union all
select m.member::regrole || ' may become ' || m.roleid::regrole || ', which is not a scope''s role'
from pg_auth_members m
where m.member::regrole::text ~ '^robnu_' and m.member <> 'robnu_master'::regrole
  and m.roleid::regrole::text not in (select name from scope_roles)
union all
select m.member::regrole || ' may make others a ' || m.roleid::regrole
from pg_auth_members m
where m.admin_option and m.roleid::regrole::text ~ '^robnu_' and m.member <> 'robnu_master'::regrole

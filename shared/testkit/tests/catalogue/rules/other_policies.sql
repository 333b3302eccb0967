-- Permissive policies add up, so a second one would widen `tenant`. Only the owner and the system roles see every row.
select p.table_name || ': the policy ' || p.name || ' widens what ' || p.role || ' sees beyond `tenant`'
from policies p join tenant_tables t on t.oid = p.relation
where p.permissive and p.name <> 'tenant' and p.role in ('robnu_tenant', 'public')
union all
select p.table_name || ': the policy ' || p.name || ' is for ' || p.role || ', which is no scope''s role'
from policies p
where p.role not in (select name from scope_roles) and p.role <> 'robnu_owner'
union all
select p.table_name || ': the policy ' || p.name || ' is true for ' || p.role || ', which is no system role'
from policies p
where p.permissive and (p."using" = 'true' or p.with_check = 'true')
  and p.role <> 'robnu_owner' and p.role not in (select name from system_roles)

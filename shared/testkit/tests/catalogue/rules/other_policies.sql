-- Permissive policies add up, so a second one would widen `tenant`. Only the owner and the system roles see every row, and staff do
-- while they are staff. A role that works inside one seller compares the seller first. A role that deletes rows sees only old ones.
select p.table_name || ': the policy ' || p.name || ' widens what ' || p.role || ' sees beyond `tenant`'
from policies p join tenant_tables t on t.oid = p.relation
where p.permissive and p.name <> 'tenant' and p.role in ('robnu_tenant', 'public')
union all
select p.table_name || ': the policy ' || p.name || ' is for ' || p.role || ', which is not a scope''s role'
from policies p
where p.role not in (select name from scope_roles) and p.role <> 'robnu_owner'
union all
select p.table_name || ': the policy ' || p.name || ' is true for ' || p.role || ', which is not a system role'
from policies p
where p.permissive and (p."using" = 'true' or p.with_check = 'true')
  and p.role <> 'robnu_owner' and p.role not in (select name from system_roles)
union all
select p.table_name || ': the policy ' || p.name || ' shows ' || p.role || ' more than one seller'
from policies p, unnest(array[p."using", p.with_check]) as condition
where p.permissive and p.role in (select name from inner_roles) and condition is not null
  and (condition !~ '^\(+seller_id = \( SELECT robnu\.app_current_seller_id\(\) AS app_current_seller_id\)\)( AND |\)*$)' or condition ~ ' OR ')
union all
select p.table_name || ': the policy ' || p.name || ' lets ' || p.role || ' do more than delete old rows'
from policies p
where p.permissive and p.role in (select name from forgetting_roles)
  and (p."using" !~ '^\([a-z_]+ < \(now\(\) - ''[0-9:]+''::interval\)\)$' or p.with_check is distinct from 'false')
union all
select p.table_name || ': the policy ' || p.name || ' admits ' || p.role || ' without being staff'
from policies p join tenant_tables t on t.oid = p.relation, unnest(array[p."using", p.with_check]) as condition
where p.permissive and p.role in (select name from staff_roles) and condition is not null
  and (condition !~ '^\(+ ?SELECT robnu\.app_is_staff\(\) AS app_is_staff\)( AND |\)*$)' or condition ~ ' OR ')

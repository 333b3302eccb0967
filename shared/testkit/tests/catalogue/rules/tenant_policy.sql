-- Every tenant table has the policy `tenant`, which compares only seller_id with the scope, for reading and writing. It also has the
-- policy `owner`, without which backfills see no rows and foreign keys are validated over nothing.
select t.name || ' has no policy `tenant` for all verbs that compares seller_id with the scope, on reading and writing'
from tenant_tables t
where not exists (
  select from policies p
  where p.relation = t.oid and p.name = 'tenant' and p.permissive and p.command = '*' and p.role = 'robnu_tenant'
    and p."using" = '(seller_id = ( SELECT robnu.app_current_seller_id() AS app_current_seller_id))'
    and p.with_check = '(seller_id = ( SELECT robnu.app_current_seller_id() AS app_current_seller_id))')
union all
select t.name || ' has no policy `owner` that shows robnu_owner every row'
from tenant_tables t
where not exists (
  select from policies p
  where p.relation = t.oid and p.name = 'owner' and p.permissive and p.command = '*' and p.role = 'robnu_owner'
    and p."using" = 'true' and p.with_check = 'true')

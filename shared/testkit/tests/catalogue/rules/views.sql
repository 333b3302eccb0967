-- A view shows what its owner sees unless it runs with the caller's rights. A rewrite rule always runs with the owner's rights.
select r.name || ' is a view without security_invoker'
from relations r
where r.kind = 'v' and not coalesce('security_invoker=true' = any (r.options) or 'security_invoker=on' = any (r.options), false)
union all
select r.name || ': the rewrite rule ' || w.rulename || ' runs with the owner''s rights'
from relations r join pg_rewrite w on w.ev_class = r.oid
where not (r.kind in ('v', 'm') and w.rulename = '_RETURN')

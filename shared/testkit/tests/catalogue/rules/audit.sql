-- A table that a member, or a sweep inside a seller, may write leaves an audit event: it has the trigger, unless it is on the reviewed
-- list. Only the trigger and the functions named here write events.
select distinct t.name || ' may be written without an audit event'
from tenant_tables t join grants g on g.relation = t.oid and g.role in ('robnu_tenant', 'robnu_staff', 'robnu_tenant_sweep') and g.verb <> 'select'
where t.name not in (select name from unaudited_tables)
  and not exists (
    select from pg_trigger r
    where r.tgrelid = t.oid and r.tgname = 'audit' and r.tgfoid = 'robnu.audit_row'::regproc and r.tgenabled = 'O')
union all
select 'audit_events may be written by ' || g.role from grants g where g.table_name = 'audit_events' and g.verb <> 'select'
union all
select f.name || ' lets ' || x.grantee::regrole || ' write audit events of its own making'
from functions f, aclexplode(f.acl) x
where f.name like 'write_audit_event(%' and x.grantee <> 'robnu_owner'::regrole

-- `on delete set null` without columns would also empty seller_id, and so would any `on update` that sets columns. A parent that
-- can be deleted needs an index to find its children by.
select t.name || ': ' || c.conname || ' sets seller_id itself when the parent goes; name the columns'
from tenant_tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f' and c.confdeltype in ('n', 'd')
where c.confdelsetcols is null
  or exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'seller_id' and a.attnum = any (c.confdelsetcols))
union all
select t.name || ': ' || c.conname || ' rewrites the key when the parent''s changes'
from tenant_tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f' and c.confupdtype in ('c', 'n', 'd')
union all
select t.name || ': ' || c.conname || ' has no index that begins with its columns, and the parent can be deleted'
from tenant_tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
where (c.confdeltype in ('c', 'n', 'd')
    or c.confrelid::regclass::text in (select 'robnu.' || name from shrinking_tables))
  and not exists (
    select from pg_index i
    where i.indrelid = c.conrelid and i.indpred is null and i.indisvalid
      and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)

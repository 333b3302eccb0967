-- Every relation with sellers' rows, column by column, and what a seller's scope may do with it.
select c.relname::text as relation, c.relkind = 'v' as is_view, a.attname::text as name,
  format_type(a.atttypid, a.atttypmod) as type,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'select') as selects,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'insert') as inserts,
  has_column_privilege('robnu_tenant', c.oid, a.attnum, 'update') as updates,
  -- The names of foreign keys to other relations of sellers, and whether the column is part of any foreign key.
  array(
    select k.conname::text from pg_constraint k
    where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey) and a.attname <> 'seller_id'
      and exists (select from pg_attribute p where p.attrelid = k.confrelid and p.attname = 'seller_id')
    order by k.conname) as foreign_keys,
  exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey)) as refers,
  a.attgenerated <> '' as generated
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'robnu'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and exists (select from pg_attribute s where s.attrelid = c.oid and s.attname = 'seller_id' and not s.attisdropped)
order by c.relname, a.attnum

-- seller_id comes first in every primary key, unique index and exclusion constraint, so that no key tells a seller what another
-- has. It also comes first in every foreign key to a tenant table, because foreign keys ignore row level security.
select t.name || ' has no primary key'
from tenant_tables t
where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)
union all
select t.name || ': ' || i.indexrelid::regclass::text || ' is unique and does not begin with seller_id'
from tenant_tables t join pg_index i on i.indrelid = t.oid and (i.indisunique or i.indisexclusion)
left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
where a.attname is distinct from 'seller_id'
union all
select child.name || ': ' || c.conname || ' refers to ' || parent.name || ' without pairing seller_id with seller_id first'
from pg_constraint c
join relations child on child.oid = c.conrelid
join tenant_tables parent on parent.oid = c.confrelid
left join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
left join pg_attribute b on b.attrelid = c.confrelid and b.attnum = c.confkey[1]
where c.contype = 'f' and (a.attname is distinct from 'seller_id' or b.attname is distinct from 'seller_id')

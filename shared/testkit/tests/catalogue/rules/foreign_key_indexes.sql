-- Every foreign key between tenant tables has an index that begins with its columns, in any order: deleting a parent looks for its
-- children, and so does every join from parent to child. A partial index does not count.
select child.name || ': no index begins with the columns of ' || c.conname
from pg_constraint c
join tenant_tables child on child.oid = c.conrelid
join tenant_tables parent on parent.oid = c.confrelid
where c.contype = 'f'
  and not exists (
    select from pg_index i
    where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null
      and (select array_agg(key order by key) from unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) key)
        = (select array_agg(key order by key) from unnest(c.conkey) key))

-- Tables with rows of a seller or a person, and the column that identifies them.
select distinct on (c.relname) c.relname::text, a.attname::text
from pg_class c
join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
where c.relnamespace = 'robnu'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and (a.attname = 'seller_id' and a.atttypid = 'uuid'::regtype
    or a.attname in ('person_id', 'actor_id') and a.atttypid = 'uuid'::regtype
    or a.attname = 'subject' and a.atttypid = 'text'::regtype)
  and c.relname not in ('people', 'staff')
order by c.relname, array_position(array['seller_id', 'person_id', 'actor_id', 'subject'], a.attname::text)

-- A side table's row is the other half of its parent's row: it has the parent's primary key and is deleted with the parent. Nothing
-- refers to it, so that no table knows of any marketplace.
select s.name || ' is not keyed by ' || s.parent || ' alone, or does not go with it'
from side_tables s
where not exists (
  select from pg_constraint own
  join pg_constraint link on link.conrelid = own.conrelid and link.contype = 'f' and link.conkey = own.conkey and link.confdeltype = 'c'
  join pg_constraint parent on parent.conrelid = link.confrelid and parent.contype = 'p' and parent.conkey = link.confkey
  where own.conrelid = s.relation and own.contype = 'p' and link.confrelid::regclass::text = 'robnu.' || s.parent)
union all
select c.conrelid::regclass || ' refers to ' || s.name || ' instead of ' || s.parent
from side_tables s join pg_constraint c on c.confrelid = s.relation and c.contype = 'f'

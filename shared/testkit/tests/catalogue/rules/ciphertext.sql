-- Ciphertext is named …_enc and is in side tables, apart from what everybody reads. The name of every column of bytes says what it
-- holds.
select c.table_name || '.' || c.column_name || ' holds ciphertext outside the reviewed side tables'
from columns c where c.column_name ~ '_enc$' and c.table_name not in (select name from ciphertext_tables)
union all
select c.table_name || '.' || c.column_name || ' is called ciphertext and is ' || c.type
from columns c where c.column_name ~ '_enc$' and c.type <> 'bytea'
union all
select c.table_name || '.' || c.column_name || ' holds bytes and is neither …_enc nor a digest'
from columns c
where c.element = 'bytea' and c.column_name !~ '(_enc|(^|_)(hash|digest|checksum))$'
  and (c.table_name, c.column_name) not in (select table_name, column_name from other_bytes)
union all
-- A role that may read the column reads only what the transaction has opened, which leaves an audit event; or, of the tables that
-- are listed for it, only what belongs to the account of its job.
select distinct c.table_name || '.' || c.column_name || ' is read by ' || g.role || ' without being opened'
from columns c
join grants g on g.relation = c.relation and g.verb = 'select' and coalesce(g.column_name, c.column_name) = c.column_name
where c.column_name ~ '_enc$' and not exists (
  select from policies p
  where p.relation = c.relation and p.role = g.role and not p.permissive and p.command in ('r', '*')
    and (p."using" ~ 'robnu\.app_opened_(account|customer)\(\)'
      or (c.table_name in (select name from own_account_tables) and p."using" ~ '^\(account_id = .*app\.actor_id')))

-- Unique indexes that span several sellers: a violation would reveal what other sellers have.
select i.indexrelid::regclass::text
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'robnu'
where i.indisunique and exists (
    select from pg_attribute s where s.attrelid = c.oid and s.attname = 'seller_id' and not s.attisdropped)
  and not exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'seller_id' and a.attnum = any (i.indkey::int2[]))

-- Keeps how some records of a corrected file differ from the earlier file, and counts all of them. Only the first 10,000 of an import
-- are kept.
-- $1 import; $2 … arrays, one element per record: stream, id, change, changed fields as JSON, number of fields left out
with page as (
  select p.*
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
    with ordinality as p (stream, external_id, change, fields, fields_left_out, place)
), counted as (
  update robnu.imports i
  set records_added = coalesce(i.records_added, 0) + (select count(*) from page where change = 'ADDED')::int,
    records_changed = coalesce(i.records_changed, 0) + (select count(*) from page where change = 'CHANGED')::int,
    records_missing = coalesce(i.records_missing, 0) + (select count(*) from page where change = 'MISSING')::int
  where i.id = $1
  returning coalesce(old.records_added + old.records_changed + old.records_missing, 0) as so_far
)
insert into robnu.import_changes (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out)
select (select robnu.app_current_seller_id()), $1, so_far + place, stream, external_id, change, fields::jsonb, fields_left_out
from page, counted
where so_far + place <= 10000

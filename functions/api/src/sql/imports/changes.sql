-- How the file of import $1 differs from the one that it corrects: records after number $2, $3 of them, and only those with change $4,
-- if that is not null. An import without such records has one row without a number; no row without the import.
select c.number, c.stream, c.external_id, c.change, c.fields::text as fields, c.fields_left_out
from robnu.imports i
left join lateral (
  select n.number, n.stream, n.external_id, n.change, n.fields, n.fields_left_out
  from robnu.import_changes n
  where n.seller_id = i.seller_id and n.import_id = i.id and n.number > $2::bigint and ($4::text is null or n.change = $4)
  order by n.number
  limit $3
) c on true
where i.id = $1
order by c.number

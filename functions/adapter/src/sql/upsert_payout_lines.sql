-- Stores the lines of a page's entries and counts the new and the changed ones; equal ones are not touched. Only entries that are stored
-- as the page has them get its lines.
-- $1 account; $2 … $4 arrays, one element per entry: part, number, digest; $5 … arrays, one element per line: its entry's place in these
-- arrays, from 1, and its own columns
with entry as (
  select e.id, p.place
  from unnest($2::text[], $3::int[], $4::bytea[]) with ordinality as p (external_part_id, number, digest, place)
  join robnu.payout_entries e on e.account_id = $1 and e.external_part_id = p.external_part_id and e.number = p.number
    and e.digest = p.digest
), written as (
  insert into robnu.payout_lines as l (seller_id, entry_id, number, line_type, marketplace_type, amount)
  select (select robnu.app_current_seller_id()), entry.id, p.number, p.line_type, p.marketplace_type, p.amount
  from unnest($5::int[], $6::int[], $7::text[], $8::text[], $9::numeric[]) as p (place, number, line_type, marketplace_type, amount)
  join entry on entry.place = p.place
  order by entry.id, p.number
  on conflict (seller_id, entry_id, number) do update
  set line_type = excluded.line_type, marketplace_type = excluded.marketplace_type, amount = excluded.amount
  where (l.line_type, l.marketplace_type, l.amount) is distinct from (excluded.line_type, excluded.marketplace_type, excluded.amount)
  returning old.entry_id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

-- Keeps what a page changes in payouts that an earlier run has stored, before it is changed, and raises their revision, once in a run.
-- What was only announced may change without a word, and so may a payout that a better source states anew.
-- $1 account, $2 run; $3 … arrays, one element per entry: payout or null, source, part, number, digest, content as JSON;
-- $9 parts, $10 how many entries each has, $11 whether it is in a payout; $12 subjects that are paid, $13 payouts
with page as (
  select p.*, o.id as payout_id, o.first_run_id
  from unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::bytea[], $8::text[])
    as p (external_payout_id, source, external_part_id, number, digest, content)
  join robnu.payouts o on o.account_id = $1 and o.external_payout_id = p.external_payout_id and o.source = p.source
), changes as (
  select coalesce(e.payout_id, p.payout_id) as payout_id, p.external_part_id, p.number,
    case when e.id is null then 'ADDED' else 'CHANGED' end as change,
    case when e.id is not null then robnu.payout_entry_content(e.id) end as before, p.content::jsonb as after
  from page p
  left join robnu.payout_entries e on e.account_id = $1 and e.external_part_id = p.external_part_id and e.number = p.number
  where case when e.id is null then p.first_run_id is distinct from $2 else e.payout_id is not null and e.digest <> p.digest end
  union all
  select e.payout_id, e.external_part_id, e.number, 'REMOVED', robnu.payout_entry_content(e.id), null
  from robnu.superseded_payout_entries($1, $9, $10, $11, $12, $13) s
  join robnu.payout_entries e on e.id = s.entry_id
  join robnu.payouts o on o.id = e.payout_id and o.source = e.source
), kept as (
  insert into robnu.payout_changes (seller_id, payout_id, run_id, external_part_id, number, change, before, after)
  select (select robnu.app_current_seller_id()), payout_id, $2, external_part_id, number, change, before, after from changes
  returning payout_id
)
update robnu.payouts o
set revision = o.revision + 1, changed_by_run_id = $2, updated_at = now()
where o.id = any (array(select payout_id from kept)) and o.changed_by_run_id is distinct from $2

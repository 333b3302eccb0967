-- Stores the entries of a page and counts the new and the changed ones; equal ones are not touched. What a source that counts less says
-- about a payout is left out, and so is an announcement of what is paid.
-- $1 account; $2 … arrays, one element per entry, part and number unique within the page; notes with a line each, other as JSON;
-- $21 subjects that the page says are paid
with page as (
  select p.*, o.id as payout_id
  from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::numeric[], $16::numeric[], $17::text[], $18::text[], $19::text[],
    $20::bytea[])
    as p (external_payout_id, source, external_part_id, number, subject, currency, expected_at, marketplace_type, external_order_id,
      external_item_id, sku, quantity, posted_at, stated_amount, amount, place, other, notes, digest)
  left join robnu.payouts o on o.account_id = $1 and o.external_payout_id = p.external_payout_id
  where p.external_payout_id is null or o.source = p.source
), written as (
  insert into robnu.payout_entries as e (seller_id, account_id, external_part_id, number, payout_id, source, subject, currency, expected_at,
    marketplace_type, external_order_id, external_item_id, sku, quantity, posted_at, stated_amount, amount, place, other, notes, digest)
  select (select robnu.app_current_seller_id()), $1, p.external_part_id, p.number, p.payout_id, p.source, p.subject, p.currency, p.expected_at,
    p.marketplace_type, p.external_order_id, p.external_item_id, p.sku, p.quantity, p.posted_at, p.stated_amount, p.amount, p.place,
    p.other::jsonb, coalesce(string_to_array(p.notes, E'\n'), '{}'), p.digest
  from page p
  where p.payout_id is not null
    or p.subject is null
    or (p.subject <> all ($21::text[]) and not exists (
      select from robnu.payout_entries paid where paid.account_id = $1 and paid.subject = p.subject and paid.payout_id is not null))
  order by p.external_part_id, p.number
  on conflict (seller_id, account_id, external_part_id, number) do update
  set payout_id = excluded.payout_id, source = excluded.source, subject = excluded.subject, currency = excluded.currency,
    expected_at = excluded.expected_at, marketplace_type = excluded.marketplace_type, external_order_id = excluded.external_order_id,
    external_item_id = excluded.external_item_id, sku = excluded.sku, quantity = excluded.quantity, posted_at = excluded.posted_at,
    stated_amount = excluded.stated_amount, amount = excluded.amount, place = excluded.place, other = excluded.other,
    notes = excluded.notes, digest = excluded.digest, updated_at = now()
  where e.digest <> excluded.digest and (excluded.payout_id is not null or e.payout_id is null)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

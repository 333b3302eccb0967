-- Stores the payouts of a page. A field that the page does not state stays, and a source that counts less than the stored one changes
-- nothing. $1 account, $2 run; $3 … arrays, one element per payout, ids unique within the page
with page as (
  select p.*, coalesce(p.settled_at, p.booked_at, now()) as first_settled_at, s.id as stored_id
  from unnest($3::text[], $4::text[], $5::smallint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
    $11::timestamptz[], $12::text[], $13::text[], $14::numeric[])
    as p (external_payout_id, source, source_rank, marketplace_status, period_start, period_end, settled_at, booked_at, paid_at,
      bank_reference, currency, stated_amount)
  left join robnu.payouts s on s.account_id = $1 and s.external_payout_id = p.external_payout_id
), updated as (
  update robnu.payouts s
  set source = p.source, source_rank = p.source_rank,
    replaced_source = case when s.source <> p.source then s.source else s.replaced_source end, marketplace_status = coalesce(p.marketplace_status, s.marketplace_status),
    period_start = coalesce(p.period_start, s.period_start), period_end = coalesce(p.period_end, s.period_end),
    settled_at = coalesce(p.settled_at, s.settled_at), paid_at = coalesce(p.paid_at, s.paid_at),
    bank_reference = coalesce(p.bank_reference, s.bank_reference), currency = p.currency,
    stated_amount = coalesce(p.stated_amount, s.stated_amount), updated_at = now()
  from page p
  where s.id = p.stored_id and s.source_rank <= p.source_rank
    and (s.source, s.marketplace_status, s.period_start, s.period_end, s.settled_at, s.paid_at, s.bank_reference, s.currency, s.stated_amount)
      is distinct from (p.source, coalesce(p.marketplace_status, s.marketplace_status), coalesce(p.period_start, s.period_start),
        coalesce(p.period_end, s.period_end), coalesce(p.settled_at, s.settled_at), coalesce(p.paid_at, s.paid_at),
        coalesce(p.bank_reference, s.bank_reference), p.currency, coalesce(p.stated_amount, s.stated_amount))
  returning s.id
), added as (
  insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, marketplace_status, period_start, period_end,
    settled_at, paid_at, bank_reference, currency, stated_amount, first_run_id)
  select (select robnu.app_current_seller_id()), $1, p.external_payout_id, p.source, p.source_rank, p.marketplace_status, p.period_start,
    p.period_end, p.first_settled_at, p.paid_at, p.bank_reference, p.currency, p.stated_amount, $2
  from page p
  where p.stored_id is null
  order by p.external_payout_id
  returning id
)
select (select count(*) from added)::int as new, (select count(*) from updated)::int as changed

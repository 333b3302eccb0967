-- The seller's payouts, latest settled first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, settled from, settled before,
-- smallest and largest net amount in minor units
select p.id, p.account_id, a.marketplace_code, p.external_payout_id, p.status, p.marketplace_status, p.period_start, p.period_end,
  p.settled_at, p.paid_at, p.bank_reference, p.currency, p.gross_amount, p.net_amount, p.net_minor
from robnu.payouts p join robnu.marketplace_accounts a on a.id = p.account_id
where (p.settled_at, p.id) < ($1, $2)
  and ($4::uuid is null or p.account_id = $4) and ($5::text is null or a.marketplace_code = $5)
  and ($6::text is null or p.status = $6)
  and ($7::timestamptz is null or p.settled_at >= $7) and ($8::timestamptz is null or p.settled_at < $8)
  and ($9::bigint is null or p.net_minor >= $9) and ($10::bigint is null or p.net_minor <= $10)
order by p.settled_at desc, p.id desc
limit $3

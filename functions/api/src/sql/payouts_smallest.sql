-- The seller's payouts, smallest first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, settled from, settled before,
-- smallest and largest net amount in minor units
select p.id, p.account_id, a.marketplace_code, p.external_payout_id, p.status, p.marketplace_status, p.period_start, p.period_end,
  p.settled_at, p.paid_at, p.bank_reference, p.currency, p.gross_amount, p.net_amount, p.net_minor
from robnu.payouts p join robnu.marketplace_accounts a on a.id = p.account_id
where (p.net_minor, p.id) > ($1, $2)
  and case when $4::uuid is null then true else p.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else p.status = $6 end
  and case when $7::timestamptz is null then true else p.settled_at >= $7 end
  and case when $8::timestamptz is null then true else p.settled_at < $8 end
  and case when $9::bigint is null then true else p.net_minor >= $9 end
  and case when $10::bigint is null then true else p.net_minor <= $10 end
order by p.net_minor, p.id
limit $3

-- The seller's payouts, latest settled first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, smallest and
-- largest net amount in minor units
select p.id, p.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = p.account_id) as marketplace_code,
  p.external_payout_id, p.status, p.marketplace_status, p.period_start, p.period_end, p.settled_at, p.paid_at,
  p.bank_reference, p.currency, p.stated_amount, p.net_amount, p.entries, p.unbalanced_entries, p.source,
  p.revision, p.net_minor, p.matches, p.ends_scan
from (
  select p.*, row_number() over (order by p.settled_at desc, p.id desc) = 2000 as ends_scan,
    case when $6::uuid is null then true else p.account_id = $6 end
    and case when $7::text is null then true else p.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else p.status = $8 end
    and case when $9::bigint is null then true else p.net_minor >= $9 end
    and case when $10::bigint is null then true else p.net_minor <= $10 end as matches
  from (
    select * from robnu.payouts p
    where (p.settled_at, p.id) < ($1, $2) and (p.settled_at, p.id) > ($3, $4)
    order by p.settled_at desc, p.id desc
    limit 2000
  ) p
) p
where p.matches or p.ends_scan
order by p.settled_at desc, p.id desc
limit $5

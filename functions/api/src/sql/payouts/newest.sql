-- The seller's payouts, latest settled first.
-- Looks at 2,000 rows at most: the last of these comes as well, with ends_scan, whether it matches or not.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, settled from, settled before,
-- smallest and largest net amount in minor units
select p.id, p.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = p.account_id) as marketplace_code,
  p.external_payout_id, p.status, p.marketplace_status, p.period_start, p.period_end, p.settled_at, p.paid_at,
  p.bank_reference, p.currency, p.gross_amount, p.net_amount, p.net_minor, p.matches, p.ends_scan
from (
  select p.*, row_number() over (order by p.settled_at desc, p.id desc) = 2000 as ends_scan,
    case when $4::uuid is null then true else p.account_id = $4 end
    and case when $5::text is null then true else p.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $5) end
    and case when $6::text is null then true else p.status = $6 end
    and case when $9::bigint is null then true else p.net_minor >= $9 end
    and case when $10::bigint is null then true else p.net_minor <= $10 end as matches
  from (
    select * from robnu.payouts p
    where (p.settled_at, p.id) < (least($1, $8::timestamptz), case when $8 <= $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
      and (p.settled_at, p.id) >= (case when $7::timestamptz is null then '-infinity' else $7 end, '00000000-0000-0000-0000-000000000000'::uuid)
    order by p.settled_at desc, p.id desc
    limit 2000
  ) p
) p
where p.matches or p.ends_scan
order by p.settled_at desc, p.id desc
limit $3

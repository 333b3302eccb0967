-- The payouts of some accounts, latest settled first.
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; the last comes as well, with ends_scan.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, settled from, settled before,
-- smallest and largest net amount in minor units
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $6::text is null and $9::bigint is null and $10::bigint is null then $3::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $4::uuid is null then true else m.id = $4 end
    and case when $5::text is null then true else m.marketplace_code = $5 end
)
select p.id, p.account_id, p.marketplace_code, p.external_payout_id, p.status, p.marketplace_status, p.period_start,
  p.period_end, p.settled_at, p.paid_at, p.bank_reference, p.currency, p.gross_amount, p.net_amount, p.net_minor, p.matches,
  p.place = p.depth as ends_scan
from (
  select p.*, chosen.marketplace_code, chosen.depth, row_number() over (order by p.settled_at desc, p.id desc) as place,
    case when $6::text is null then true else p.status = $6 end
    and case when $9::bigint is null then true else p.net_minor >= $9 end
    and case when $10::bigint is null then true else p.net_minor <= $10 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.payouts p
      where p.account_id = chosen.account
        and (p.settled_at, p.id) < (least($1, $8::timestamptz), case when $8 <= $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
        and (p.settled_at, p.id) >= (case when $7::timestamptz is null then '-infinity' else $7 end, '00000000-0000-0000-0000-000000000000'::uuid)
      order by p.settled_at desc, p.id desc
      limit 2000
    ) nearest
    limit chosen.depth
  ) p
) p
where p.place <= p.depth and (p.matches or p.place = p.depth)
order by p.settled_at desc, p.id desc
limit $3

-- The payouts of some accounts, latest settled first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, smallest and
-- largest net amount in minor units
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $8::text is null and $9::bigint is null and $10::bigint is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $6::uuid is null then true else m.id = $6 end
    and case when $7::text is null then true else m.marketplace_code = $7 end
)
select p.id, p.account_id, p.marketplace_code, p.external_payout_id, p.status, p.marketplace_status, p.period_start,
  p.period_end, p.settled_at, p.paid_at, p.bank_reference, p.currency, p.stated_amount, p.net_amount, p.entries, p.unbalanced_entries, p.source,
  p.revision, p.net_minor, p.matches,
  p.place = p.depth as ends_scan
from (
  select p.*, chosen.marketplace_code, chosen.depth, row_number() over (order by p.settled_at desc, p.id desc) as place,
    case when $8::text is null then true else p.status = $8 end
    and case when $9::bigint is null then true else p.net_minor >= $9 end
    and case when $10::bigint is null then true else p.net_minor <= $10 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.payouts p
      where p.account_id = chosen.account
        and (p.settled_at, p.id) < ($1, $2) and (p.settled_at, p.id) > ($3, $4)
      order by p.settled_at desc, p.id desc
      limit 2000
    ) nearest
    limit chosen.depth
  ) p
) p
where p.place <= p.depth and (p.matches or p.place = p.depth)
order by p.settled_at desc, p.id desc
limit $5

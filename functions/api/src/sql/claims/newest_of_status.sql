-- The seller's claims with one status, newest first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, reason
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $9::text is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $6::uuid is null then true else m.id = $6 end
    and case when $7::text is null then true else m.marketplace_code = $7 end
)
select c.id, c.return_id, c.account_id, c.marketplace_code, c.status, c.reason, c.file_by, c.note, c.marketplace_reference, c.currency,
  c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at, c.acknowledged_at, c.resolved_at, c.version,
  c.created_at, c.updated_at, c.matches, c.place = c.depth as ends_scan
from (
  select c.*, chosen.marketplace_code, chosen.depth, row_number() over (order by c.created_at desc, c.id desc) as place,
    case when $9::text is null then true else c.reason = $9 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.claims c
      where c.account_id = chosen.account
        and c.status = $8
        and (c.created_at, c.id) < ($1, $2) and (c.created_at, c.id) > ($3, $4)
      order by c.created_at desc nulls last, c.id desc nulls last
      limit 2000
    ) nearest
    limit chosen.depth
  ) c
) c
where c.place <= c.depth and (c.matches or c.place = c.depth)
order by c.created_at desc, c.id desc
limit $5

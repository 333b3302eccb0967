-- The listings of some accounts, latest changed first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, article code
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $8::text is null and $9::text is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $6::uuid is null then true else m.id = $6 end
    and case when $7::text is null then true else m.marketplace_code = $7 end
)
select l.id, l.account_id, l.marketplace_code, l.external_listing_id, l.external_product_id, l.sku, l.title, l.size,
  l.status, l.marketplace_status, l.hsn, l.currency, l.mrp, l.selling_price, l.updated_at, l.matches,
  l.place = l.depth as ends_scan
from (
  select l.*, chosen.marketplace_code, chosen.depth, row_number() over (order by l.updated_at desc, l.id desc) as place,
    case when $8::text is null then true else l.status = $8 end
    and case when $9::text is null then true else l.sku = $9 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.listings l
      where l.account_id = chosen.account
        and (l.updated_at, l.id) < ($1, $2) and (l.updated_at, l.id) > ($3, $4)
      order by l.updated_at desc, l.id desc
      limit 2000
    ) nearest
    limit chosen.depth
  ) l
) l
where l.place <= l.depth and (l.matches or l.place = l.depth)
order by l.updated_at desc, l.id desc
limit $5

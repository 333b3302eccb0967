-- The seller's listings, latest changed first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, article code
select l.id, l.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = l.account_id) as marketplace_code,
  l.external_listing_id, l.external_product_id, l.sku, l.title, l.size, l.status, l.marketplace_status, l.hsn, l.currency,
  l.mrp, l.selling_price, l.updated_at, l.matches, l.ends_scan
from (
  select l.*, row_number() over (order by l.updated_at desc, l.id desc) = 2000 as ends_scan,
    case when $6::uuid is null then true else l.account_id = $6 end
    and case when $7::text is null then true else l.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else l.status = $8 end
    and case when $9::text is null then true else l.sku = $9 end as matches
  from (
    select * from robnu.listings l
    where (l.updated_at, l.id) < ($1, $2) and (l.updated_at, l.id) > ($3, $4)
    order by l.updated_at desc, l.id desc
    limit 2000
  ) l
) l
where l.matches or l.ends_scan
order by l.updated_at desc, l.id desc
limit $5

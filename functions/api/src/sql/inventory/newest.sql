-- The seller's stock, latest reported first.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 and $2 where to continue, $3 how many; $4 … filters, each or null: account, marketplace, article code, most available
select i.id, i.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = i.account_id) as marketplace_code, i.listing_id,
  i.sku, i.location, i.available, i.reserved, i.reported_at, i.matches, i.ends_scan
from (
  select i.*, row_number() over (order by i.reported_at desc, i.id desc) = 2000 as ends_scan,
    case when $4::uuid is null then true else i.account_id = $4 end
    and case when $5::text is null then true else i.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $5) end
    and case when $6::text is null then true else i.sku = $6 end
    and case when $7::integer is null then true else i.available <= $7 end as matches
  from (
    select * from robnu.inventory i
    where (i.reported_at, i.id) < ($1, $2)
    order by i.reported_at desc, i.id desc
    limit 2000
  ) i
) i
where i.matches or i.ends_scan
order by i.reported_at desc, i.id desc
limit $3

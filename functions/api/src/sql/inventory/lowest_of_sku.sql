-- The seller's stock of one article, least available first: a rare article's from the article's index, a common article's
-- from the list's index.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 and $2 where to continue, $3 how many; $4 … filters, each or null: account, marketplace, article code, most available
with few as materialized (
  select i.id from robnu.inventory i where i.sku = $6 limit 2000
), rarity as materialized (
  select count(*) < 2000 as is_rare from few
)
select i.id, i.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = i.account_id) as marketplace_code, i.listing_id,
  i.sku, i.location, i.available, i.reserved, i.reported_at, i.matches, i.ends_scan
from (
  select i.*, row_number() over (order by i.available, i.id) = 2000 as ends_scan,
    case when $4::uuid is null then true else i.account_id = $4 end
    and case when $5::text is null then true else i.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $5) end
    and i.sku = $6
    and case when $7::integer is null then true else i.available <= $7 end as matches
  from (
    select * from robnu.inventory i
    where (select is_rare from rarity) and i.id in (select id from few)
      and (i.available, i.id) > ($1, $2)
    union all
    select * from (
      select * from robnu.inventory i
      where not (select is_rare from rarity)
        and (i.available, i.id) > ($1, $2)
      order by i.available, i.id
      limit 2000
    ) common
  ) i
) i
where i.matches or i.ends_scan
order by i.available, i.id
limit $3

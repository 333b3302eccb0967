-- The seller's orders with a line of one article, latest placed first: a rare article's from the article's index, a common
-- article's from the orders' index.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, article code,
-- to be dispatched before
with few as materialized (
  select i.order_id from robnu.order_items i where i.sku = $9 limit 2000
), rarity as materialized (
  select count(*) < 2000 as is_rare from few
)
select o.id, o.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = o.account_id) as marketplace_code,
  o.external_order_id, o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.dispatch_after, o.on_hold, o.is_replacement,
  o.fulfilled_by,
  o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_state, o.ship_postal_prefix, o.matches, o.ends_scan
from (
  select o.*, row_number() over (order by o.placed_at desc, o.id desc) = 2000 as ends_scan,
    case when $6::uuid is null then true else o.account_id = $6 end
    and case when $7::text is null then true else o.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else o.status = $8 end
    and case when $10::timestamptz is null then true else o.dispatch_by < $10 end
    and (select true from robnu.order_items i where i.order_id = o.id and i.sku = $9 limit 1) is true as matches
  from (
    select * from robnu.orders o
    where (select is_rare from rarity) and o.id in (select order_id from few)
      and (o.placed_at, o.id) < ($1, $2) and (o.placed_at, o.id) > ($3, $4)
    union all
    select * from (
      select * from robnu.orders o
      where not (select is_rare from rarity)
        and (o.placed_at, o.id) < ($1, $2) and (o.placed_at, o.id) > ($3, $4)
      order by o.placed_at desc, o.id desc
      limit 2000
    ) common
  ) o
) o
where o.matches or o.ends_scan
order by o.placed_at desc, o.id desc
limit $5

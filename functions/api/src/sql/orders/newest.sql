-- The seller's orders, latest placed first.
-- Looks at 2,000 rows at most: the last of these comes as well, with ends_scan, whether it matches or not.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, placed from, placed before,
-- to be dispatched before, article code
select o.id, o.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = o.account_id) as marketplace_code,
  o.external_order_id, o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by,
  o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_postal_code, o.matches, o.ends_scan
from (
  select o.*, row_number() over (order by o.placed_at desc, o.id desc) = 2000 as ends_scan,
    case when $4::uuid is null then true else o.account_id = $4 end
    and case when $5::text is null then true else o.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $5) end
    and case when $6::text is null then true else o.status = $6 end
    and case when $9::timestamptz is null then true else o.dispatch_by < $9 end
    and case when $10::text is null then true else (select true from robnu.order_items i where i.order_id = o.id and i.sku = $10 limit 1) is true end as matches
  from (
    select * from robnu.orders o
    where (o.placed_at, o.id) < (least($1, $8::timestamptz), case when $8 <= $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
      and (o.placed_at, o.id) >= (case when $7::timestamptz is null then '-infinity' else $7 end, '00000000-0000-0000-0000-000000000000'::uuid)
    order by o.placed_at desc, o.id desc
    limit 2000
  ) o
) o
where o.matches or o.ends_scan
order by o.placed_at desc, o.id desc
limit $3

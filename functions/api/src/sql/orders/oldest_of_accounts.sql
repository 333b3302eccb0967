-- The orders of some accounts, first placed first.
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; the last comes as well, with ends_scan.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, placed from, placed before,
-- to be dispatched before, article code
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $6::text is null and $9::timestamptz is null and $10::text is null then $3::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $4::uuid is null then true else m.id = $4 end
    and case when $5::text is null then true else m.marketplace_code = $5 end
)
select o.id, o.account_id, o.marketplace_code, o.external_order_id, o.status, o.marketplace_status, o.placed_at,
  o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by, o.payment_method, o.currency, o.total_amount, o.ship_city,
  o.ship_postal_code, o.matches, o.place = o.depth as ends_scan
from (
  select o.*, chosen.marketplace_code, chosen.depth, row_number() over (order by o.placed_at, o.id) as place,
    case when $6::text is null then true else o.status = $6 end
    and case when $9::timestamptz is null then true else o.dispatch_by < $9 end
    and case when $10::text is null then true else (select true from robnu.order_items i where i.order_id = o.id and i.sku = $10 limit 1) is true end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.orders o
      where o.account_id = chosen.account
        and (o.placed_at, o.id) > (greatest($1, $7::timestamptz), case when $7 > $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
        and (o.placed_at, o.id) < (case when $8::timestamptz is null then 'infinity' else $8 end, '00000000-0000-0000-0000-000000000000'::uuid)
      order by o.placed_at, o.id
      limit 2000
    ) nearest
    limit chosen.depth
  ) o
) o
where o.place <= o.depth and (o.matches or o.place = o.depth)
order by o.placed_at, o.id
limit $3

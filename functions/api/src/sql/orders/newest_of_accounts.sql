-- The orders of some accounts, latest placed first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, article code,
-- to be dispatched before
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $8::text is null and $10::timestamptz is null and $9::text is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $6::uuid is null then true else m.id = $6 end
    and case when $7::text is null then true else m.marketplace_code = $7 end
)
select o.id, o.account_id, o.marketplace_code, o.external_order_id, o.status, o.marketplace_status, o.placed_at,
  o.marketplace_updated_at, o.dispatch_by, o.dispatch_after, o.on_hold, o.is_replacement,
  o.fulfilled_by, o.payment_method, o.currency, o.total_amount, o.ship_city,
  o.ship_state, o.ship_postal_prefix, o.matches, o.place = o.depth as ends_scan
from (
  select o.*, chosen.marketplace_code, chosen.depth, row_number() over (order by o.placed_at desc, o.id desc) as place,
    case when $8::text is null then true else o.status = $8 end
    and case when $10::timestamptz is null then true else o.dispatch_by < $10 end
    and case when $9::text is null then true else (select true from robnu.order_items i where i.order_id = o.id and i.sku = $9 limit 1) is true end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.orders o
      where o.account_id = chosen.account
        and (o.placed_at, o.id) < ($1, $2) and (o.placed_at, o.id) > ($3, $4)
      order by o.placed_at desc, o.id desc
      limit 2000
    ) nearest
    limit chosen.depth
  ) o
) o
where o.place <= o.depth and (o.matches or o.place = o.depth)
order by o.placed_at desc, o.id desc
limit $5

-- The seller's orders, first placed first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, placed from, placed before,
-- to be dispatched before, article code
select o.id, o.account_id, a.marketplace_code, o.external_order_id, o.status, o.marketplace_status, o.placed_at,
  o.marketplace_updated_at, o.dispatch_by, o.fulfilled_by, o.payment_method, o.currency, o.total_amount, o.ship_city,
  o.ship_postal_code
from robnu.orders o join robnu.marketplace_accounts a on a.id = o.account_id
where (o.placed_at, o.id) > ($1, $2)
  and case when $4::uuid is null then true else o.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else o.status = $6 end
  and case when $7::timestamptz is null then true else o.placed_at >= $7 end
  and case when $8::timestamptz is null then true else o.placed_at < $8 end
  and case when $9::timestamptz is null then true else o.dispatch_by < $9 end
  and case when $10::text is null then true else exists (select from robnu.order_items i where i.order_id = o.id and i.sku = $10) end
order by o.placed_at, o.id
limit $3

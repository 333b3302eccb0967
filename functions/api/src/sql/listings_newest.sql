-- The seller's listings, latest changed first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, article code
select l.id, l.account_id, a.marketplace_code, l.external_listing_id, l.external_product_id, l.sku, l.title, l.size, l.status,
  l.marketplace_status, l.hsn, l.currency, l.mrp, l.selling_price, l.updated_at
from robnu.listings l join robnu.marketplace_accounts a on a.id = l.account_id
where (l.updated_at, l.id) < ($1, $2)
  and case when $4::uuid is null then true else l.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else l.status = $6 end
  and case when $7::text is null then true else l.sku = $7 end
order by l.updated_at desc, l.id desc
limit $3

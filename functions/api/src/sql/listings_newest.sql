-- The seller's listings, latest changed first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, article code
select l.id, l.account_id, a.marketplace_code, l.external_listing_id, l.external_product_id, l.sku, l.title, l.size, l.status,
  l.marketplace_status, l.hsn, l.currency, l.mrp, l.selling_price, l.updated_at
from robnu.listings l join robnu.marketplace_accounts a on a.id = l.account_id
where (l.updated_at, l.id) < ($1, $2)
  and ($4::uuid is null or l.account_id = $4) and ($5::text is null or a.marketplace_code = $5)
  and ($6::text is null or l.status = $6) and ($7::text is null or l.sku = $7)
order by l.updated_at desc, l.id desc
limit $3

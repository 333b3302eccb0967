-- One listing. $1 listing
select l.id, l.account_id, a.marketplace_code, l.external_listing_id, l.external_product_id, l.sku, l.title, l.size, l.status,
  l.marketplace_status, l.hsn, l.currency, l.mrp, l.selling_price, l.updated_at
from robnu.listings l join robnu.marketplace_accounts a on a.id = l.account_id
where l.id = $1

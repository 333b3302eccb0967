-- The seller's stock, least available first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, article code, most available
select i.id, i.account_id, a.marketplace_code, i.listing_id, i.sku, i.location, i.available, i.reserved, i.reported_at
from robnu.inventory i join robnu.marketplace_accounts a on a.id = i.account_id
where (i.available, i.id) > ($1, $2)
  and case when $4::uuid is null then true else i.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else i.sku = $6 end
  and case when $7::integer is null then true else i.available <= $7 end
order by i.available, i.id
limit $3

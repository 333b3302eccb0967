-- The lines of one payout, as they came. $1 payout, $2 where to go on, $3 how many; $4 type or null, $5 marketplace's order or null
select id, external_line_id, line_type, marketplace_type, description, order_id, external_order_id, external_item_id, sku, quantity,
  posted_at, gross_amount, fee_amount, fee_tax_amount, tcs_amount, tds_amount, net_amount
from robnu.payout_lines
where payout_id = $1 and id > $2
  and case when $4::text is null then true else line_type = $4 end
  and case when $5::text is null then true else external_order_id = $5 end
order by id
limit $3

-- The lines of one payout, in the order in which they came.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 payout, $2 where to continue, $3 how many; $4 type or null, $5 marketplace's order or null
select l.id, l.external_line_id, l.line_type, l.marketplace_type, l.description, l.order_id, l.external_order_id,
  l.external_item_id, l.sku, l.quantity, l.posted_at, l.gross_amount, l.fee_amount, l.fee_tax_amount, l.tcs_amount,
  l.tds_amount, l.net_amount, l.matches, l.ends_scan
from (
  select l.*, row_number() over (order by l.id) = 2000 as ends_scan,
    case when $4::text is null then true else l.line_type = $4 end
    and case when $5::text is null then true else l.external_order_id = $5 end as matches
  from (
    select * from robnu.payout_lines l
    where l.payout_id = $1 and l.id > $2
    order by l.id
    limit 2000
  ) l
) l
where l.matches or l.ends_scan
order by l.id
limit $3

-- The lines of one order. $1 order
select id, external_item_id, sku, title, size, quantity, quantity_cancelled, line_amount, amount_basis, tax_amount, hsn
from robnu.order_items
where order_id = $1
order by external_item_id, id

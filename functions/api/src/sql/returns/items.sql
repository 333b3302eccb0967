-- The lines of one return. $1 return
select id, external_item_id, order_item_id, sku, title, size, quantity, quantity_cancelled, refund_amount, reason
from robnu.return_items
where return_id = $1
order by external_item_id, id

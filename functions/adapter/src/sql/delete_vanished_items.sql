-- Removes the lines that a page's orders no longer have, and counts them.
-- $1 account; $2 order ids, $3 their statuses; $4 order id and $5 line id of every line on the page
with vanished as (
  delete from robnu.order_items i
  using unnest($2::text[], $3::text[]) as p (external_order_id, status), robnu.orders o
  where o.account_id = $1 and o.external_order_id = p.external_order_id and (p.status <> 'PENDING' or o.status = 'PENDING')
    and i.order_id = o.id
    and not exists (
      select from unnest($4::text[], $5::text[]) as kept (external_order_id, external_item_id)
      where kept.external_order_id = o.external_order_id and kept.external_item_id = i.external_item_id
    )
  returning i.id
)
select count(*)::int as removed from vanished

-- The orders of an account as they stand. $1 account
select o.external_order_id,
  o.marketplace_status || coalesce((
    select string_agg(', ' || s.external_shipment_id || ' ' || s.status, '' order by s.external_shipment_id)
    from robnu.shipments s where s.seller_id = o.seller_id and s.order_id = o.id), '') as stands,
  count(i.id) as lines,
  coalesce(sum(i.quantity), 0) || ' units, ' || coalesce(o.total_amount::text, 'no total')
    || case when a.marketplace_code = 'AJIO' then '' else ', lines of ' || coalesce(sum(i.line_amount), 0) end as sums
from robnu.orders o
join robnu.marketplace_accounts a on a.seller_id = o.seller_id and a.id = o.account_id
left join robnu.order_items i on i.seller_id = o.seller_id and i.order_id = o.id
where o.account_id = $1
group by o.seller_id, o.id, o.external_order_id, o.marketplace_status, o.total_amount, a.marketplace_code

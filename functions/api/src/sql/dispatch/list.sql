-- Open orders that the seller must dispatch, by deadline.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 and $2 where to continue, $3 how many, $4 until when; $5 account or null, $6 marketplace or null
select o.id, o.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = o.account_id) as marketplace_code,
  o.external_order_id, o.status, o.marketplace_status, o.placed_at, o.marketplace_updated_at, o.dispatch_by, o.dispatch_after, o.on_hold, o.is_replacement,
  o.fulfilled_by,
  o.payment_method, o.currency, o.total_amount, o.ship_city, o.ship_state, o.ship_postal_prefix, o.dispatch_by < now() as overdue,
  o.matches, o.ends_scan
from (
  select o.*, row_number() over (order by o.dispatch_by, o.id) = 2000 as ends_scan,
    case when $5::uuid is null then true else o.account_id = $5 end
    and case when $6::text is null then true else o.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $6) end as matches
  from (
    select * from robnu.orders o
    where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
      and o.fulfilled_by is distinct from 'MARKETPLACE'
      and (o.dispatch_by, o.id) > ($1, $2) and o.dispatch_by <= $4
    order by o.dispatch_by, o.id
    limit 2000
  ) o
) o
where o.matches or o.ends_scan
order by o.dispatch_by, o.id
limit $3

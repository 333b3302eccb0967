-- The number of open orders that the seller must dispatch, per marketplace and Indian day; orders without a deadline have no
-- day. Counts the 5,000 most urgent orders and 5,000 without a deadline; is_partial says that there are more.
-- $1 until when, $2 account or null, $3 marketplace or null
with dated as materialized (
  select o.account_id, o.dispatch_by from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE'
    and o.dispatch_by <= $1
  order by o.dispatch_by, o.id
  limit 5000
), undated as materialized (
  select o.account_id from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE'
    -- Starts at the lowest id, because the index of these orders holds no other rows of the seller.
    and o.dispatch_by is null and o.id > '00000000-0000-0000-0000-000000000000'
  order by o.id
  limit 5000
), due as (
  select account_id, (dispatch_by at time zone 'Asia/Kolkata')::date as day, count(*) as orders,
    count(*) filter (where dispatch_by < now()) as overdue
  from dated
  group by account_id, day
  union all
  select account_id, null, count(*), 0 from undated group by account_id
)
select a.marketplace_code, d.day, sum(d.orders)::bigint as orders, sum(d.overdue)::bigint as overdue,
  greatest((select count(*) from dated), (select count(*) from undated)) = 5000 as is_partial
from due d join robnu.marketplace_accounts a on a.id = d.account_id
where case when $2::uuid is null then true else d.account_id = $2 end
  and case when $3::text is null then true else a.marketplace_code = $3 end
group by a.marketplace_code, d.day
order by d.day nulls last, a.marketplace_code

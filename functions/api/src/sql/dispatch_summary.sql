-- How many open orders the seller must send, per marketplace and Indian day; those without a time under no day.
-- $1 until when, $2 account or null, $3 marketplace or null
with due as (
  select o.account_id, (o.dispatch_by at time zone 'Asia/Kolkata')::date as day, count(*) as orders,
    count(*) filter (where o.dispatch_by < now()) as overdue
  from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE' and o.dispatch_by <= $1
  group by o.account_id, day
  union all
  select o.account_id, null, count(*), 0
  from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE' and o.dispatch_by is null
  group by o.account_id
)
select a.marketplace_code, d.day, sum(d.orders)::bigint as orders, sum(d.overdue)::bigint as overdue
from due d join robnu.marketplace_accounts a on a.id = d.account_id
where case when $2::uuid is null then true else d.account_id = $2 end
  and case when $3::text is null then true else a.marketplace_code = $3 end
group by a.marketplace_code, d.day
order by d.day nulls last, a.marketplace_code

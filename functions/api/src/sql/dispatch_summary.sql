-- How many open orders the seller must send, per marketplace and Indian day; those without a time under no day.
-- $1 until when, $2 account or null, $3 marketplace or null
with due as (
  select o.account_id, o.dispatch_by from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE' and o.dispatch_by <= $1
  union all
  select o.account_id, null from robnu.orders o
  where o.status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED')
    and o.fulfilled_by is distinct from 'MARKETPLACE' and o.dispatch_by is null
)
select a.marketplace_code, (d.dispatch_by at time zone 'Asia/Kolkata')::date as day, count(*) as orders,
  count(*) filter (where d.dispatch_by < now()) as overdue
from due d join robnu.marketplace_accounts a on a.id = d.account_id
where ($2::uuid is null or d.account_id = $2) and ($3::text is null or a.marketplace_code = $3)
group by a.marketplace_code, day
order by day nulls last, a.marketplace_code

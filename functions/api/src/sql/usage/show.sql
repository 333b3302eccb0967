-- The number of orders placed on each Indian day, including days without orders. $1 first day, $2 last day
select days.day, coalesce(sum(d.orders), 0)::bigint as orders
from (select generate_series(0, $2::date - $1::date) + $1::date as day) days
left join robnu.order_days d on d.day = days.day and d.day >= $1 and d.day <= $2
group by days.day
order by days.day

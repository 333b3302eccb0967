-- The number of orders placed on each Indian day, including days without orders; the number of free ones; and when it was last noted
-- that the day was above them. $1 first day, $2 last day
select days.day, coalesce(sum(d.orders), 0)::bigint as orders, robnu.free_orders_a_day()::bigint as free, n.noted_at
from (select generate_series(0, $2::date - $1::date) + $1::date as day) days
left join robnu.order_days d on d.day = days.day and d.day >= $1 and d.day <= $2
left join robnu.usage_notices n on n.day = days.day and n.day >= $1 and n.day <= $2
group by days.day, n.noted_at
order by days.day

-- Orders on each Indian day, by when they were placed; days without any as well. $1 first day, $2 last day
select day, (
    select count(*) from robnu.orders
    where placed_at >= day::timestamp at time zone 'Asia/Kolkata' and placed_at < (day + 1)::timestamp at time zone 'Asia/Kolkata'
  ) as orders
from (select generate_series(0, $2::date - $1::date) + $1::date as day) days
order by day

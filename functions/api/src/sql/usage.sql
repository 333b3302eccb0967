-- Orders by the Indian day on which they were placed. $1 first day, $2 last day
select (placed_at at time zone 'Asia/Kolkata')::date as day, count(*) as orders
from robnu.orders
where placed_at >= $1::date::timestamp at time zone 'Asia/Kolkata'
  and placed_at < ($2::date + 1)::timestamp at time zone 'Asia/Kolkata'
group by day
order by day

-- Whether the order exists, and when its customer was deleted. $1 order
select customer_expired_at from robnu.orders where id = $1

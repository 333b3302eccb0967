-- Whether there is such an order. $1 order
select id from robnu.orders where id = $1

-- Whether the order exists. $1 order
select id from robnu.orders where id = $1

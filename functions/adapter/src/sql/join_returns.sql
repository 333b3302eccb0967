-- Joins returns to their orders, and the lines of both. $1 account, $2 the marketplace's ids of orders, $3 those of returns
select robnu.join_returns($1, $2, $3)

-- Sellers whose closing is due or has begun, after a seller. $1 seller, $2 how many
select seller, step from robnu.closings_due($1, $2)

-- The claim for one return. $1 return
select id, status from robnu.claims where return_id = $1

-- Whether there is such a return. $1 return
select id from robnu.returns where id = $1

-- Whether the return exists. $1 return
select id from robnu.returns where id = $1

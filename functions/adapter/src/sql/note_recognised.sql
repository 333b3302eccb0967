-- Notes what the file of an import is, and that it is here, which no notice may have said. $1 import, $2 what it is
with arrived as (
  update robnu.storage_objects set state = 'STORED' where id = $1 and state = 'AWAITED'
)
update robnu.imports set recognised_as = $2 where id = $1 and recognised_as is distinct from $2

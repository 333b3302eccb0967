-- Notes that a document was deleted. $1 document
update robnu.storage_objects
set state = 'DELETED'
where id = $1 and kind = 'DOCUMENT' and state <> 'DELETED'
returning id

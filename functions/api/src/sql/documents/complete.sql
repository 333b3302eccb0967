-- Notes that a document's bytes are in the bucket; a document that is complete stays as it is. $1 document, $2 version in the bucket
update robnu.storage_objects
set state = 'STORED', version_id = $2
where id = $1 and kind = 'DOCUMENT' and state = 'AWAITED'
returning id

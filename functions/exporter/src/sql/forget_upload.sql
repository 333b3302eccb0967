-- Notes that the upload of an export without a file was aborted. $1 export
update robnu.exports set upload_id = null, parts = '{}', progress = null where id = $1 and state in ('FAILED', 'CANCELLED')

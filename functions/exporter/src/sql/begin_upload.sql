-- Notes the upload before its first part. $1 export, $2 attempt, $3 upload
update robnu.exports set upload_id = $3 where id = $1 and attempt = $2 and state = 'RUNNING' returning id

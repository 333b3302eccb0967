-- Records an object, and empties its pages. $1 object, $2 bucket, $3 size, $4 SHA-256, $5 KMS key, $6 version
select robnu.keep_raw_pages($1, $2, $3, $4, $5, $6) as emptied

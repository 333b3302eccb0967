-- Ends the export with its file, and returns whom to mail.
-- $1 export, $2 attempt, $3 bucket, $4 KMS key, $5 version, $6 digest of the parts' digests, $7 file name,
-- $8 content type
select mail_to, until from robnu.finish_export($1, $2, $3, $4, $5, $6, $7, $8)

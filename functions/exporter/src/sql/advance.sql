-- Notes a stored part and where the next begins.
-- $1 export, $2 attempt, $3 seconds of the lease, $4 part, $5 where the next page begins, $6 whether that was the last, $7 rows and $8 bytes
-- of the part, $9 what an archive needs to know
update robnu.exports
set parts = parts || $4::text, page_cursor = $5, progress = $9, read_to_end = $6, row_count = row_count + $7, byte_count = byte_count + $8,
  lease_expires_at = now() + make_interval(secs => $3), fruitless_attempts = 0
where id = $1 and attempt = $2 and state = 'RUNNING'
returning id

-- Takes the export for a new attempt, unless it is finished or somebody holds it. $1 export, $2 seconds of the lease
update robnu.exports
set state = 'RUNNING', attempt = attempt + 1, lease_expires_at = now() + make_interval(secs => $2),
  fruitless_attempts = fruitless_attempts + 1, started_at = coalesce(started_at, now())
where id = $1 and (state = 'QUEUED' or (state = 'RUNNING' and lease_expires_at <= now()))
returning list, filters::text as filters, attempt, fruitless_attempts, page_cursor, read_to_end, row_count, byte_count, upload_id, parts,
  progress, queued_at

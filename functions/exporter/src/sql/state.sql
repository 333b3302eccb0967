-- The export's state, for whoever did not get it. $1 export
select state, upload_id, queued_at from robnu.exports where id = $1

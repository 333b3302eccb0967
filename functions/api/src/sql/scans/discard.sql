-- Discards a scan that waits for its return. $1 scan
select id from robnu.discard_scan($1, null) as discarded (id)

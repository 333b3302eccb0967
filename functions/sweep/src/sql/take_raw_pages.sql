-- Leases the pages of one object. $1 pages at most, $2 bytes at most
select object_id, account_id, marketplace_code, time_folder, id, run_id, kind, page, part, fetched_at, page_enc
from robnu.take_raw_pages($1, $2)
order by fetched_at, id

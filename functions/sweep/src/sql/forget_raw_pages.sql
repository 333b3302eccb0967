-- Deletes the digests of raw pages that were not read again for 30 days. $1 rows at most
select robnu.forget('raw_pages', $1) as forgotten

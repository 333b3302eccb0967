-- Deletes records that could not be read and were not read again for 30 days. $1 rows at most
select robnu.forget('quarantined_records', $1) as forgotten

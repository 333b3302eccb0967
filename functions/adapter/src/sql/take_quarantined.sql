-- Takes records that were requested to be read again. $1 account, $2 kind of run, $3 how many at most
select taken.id, taken.record_enc from robnu.take_quarantined($1, $2, $3) as taken (id, record_enc) order by taken.id

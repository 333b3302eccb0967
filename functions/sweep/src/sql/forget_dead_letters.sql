-- Deletes dead letters that were redriven or discarded more than 90 days ago. $1 rows at most
select robnu.forget('dead_letters', $1) as forgotten

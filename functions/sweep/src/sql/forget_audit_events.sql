-- Deletes events of the trail that have been kept as long as they have to be. $1 rows at most
select robnu.forget('other_events', $1) as forgotten

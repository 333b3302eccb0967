-- Deletes counts of members' requests whose window has long passed. $1 rows at most
select robnu.forget('request_counts', $1) as forgotten

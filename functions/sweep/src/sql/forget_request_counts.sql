-- Deletes counts of members' requests whose window is long past. $1 rows at most
select robnu.forget('request_counts', $1) as forgotten

-- Deletes counts of persons' requests whose window and day are past. $1 rows at most
select robnu.forget('person_requests', $1) as forgotten

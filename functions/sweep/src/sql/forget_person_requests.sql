-- Deletes counts of persons' requests whose window and day have passed. $1 rows at most
select robnu.forget('person_requests', $1) as forgotten

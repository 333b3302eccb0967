-- Deletes what jobs left in the trail more than a year ago. $1 rows at most
select robnu.forget('job_events', $1) as forgotten

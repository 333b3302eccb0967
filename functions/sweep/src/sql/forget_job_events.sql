-- Deletes jobs' events of the audit trail that are more than a year old. $1 rows at most
select robnu.forget('job_events', $1) as forgotten

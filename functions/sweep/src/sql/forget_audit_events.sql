-- Deletes events of the audit trail whose retention period has ended. $1 rows at most
select robnu.forget('other_events', $1) as forgotten

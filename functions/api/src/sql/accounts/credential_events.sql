-- The events of an account's credentials before an event, newest first. $1 account, $2 event id, $3 how many
select id, event, occurred_at
from robnu.credential_events
where account_id = $1 and id < $2
order by id desc
limit $3

-- One record that was set aside. $1 record
select q.id, q.account_id, a.marketplace_code, q.run_id, q.external_id, q.reason, q.seen, q.created_at, q.last_seen_at, q.retry_requested_at
from robnu.quarantined_records q
join robnu.marketplace_accounts a on a.id = q.account_id
where q.id = $1

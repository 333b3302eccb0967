-- The seller's records that were set aside, newest first: before record $1, $2 of them. Those of an account: variants.rs.
select q.id, q.account_id, a.marketplace_code, q.run_id, q.external_id, q.reason, q.seen, q.created_at, q.last_seen_at, q.retry_requested_at
from (
  select id, account_id, run_id, external_id, reason, seen, created_at, last_seen_at, retry_requested_at
  from robnu.quarantined_records where id < $1 order by id desc limit $2
) q
join robnu.marketplace_accounts a on a.id = q.account_id
order by q.id desc

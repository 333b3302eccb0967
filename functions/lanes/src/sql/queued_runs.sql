-- An account's runs that wait to be taken, for a lane that was just opened: what was sent to an earlier
-- queue is lost, and what is sent twice is heard once. $1 seller, $2 account
select run.seller_id, run.id, run.account_id, run.marketplace_code, run.kind, run.step, run.generation, account.lane_queue_url
from robnu.sync_runs run
join robnu.marketplace_accounts account on account.seller_id = run.seller_id and account.id = run.account_id
where run.seller_id = $1 and run.account_id = $2 and run.state = 'QUEUED'

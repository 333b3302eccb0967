-- An account's queued runs unless operators hold them, for a lane that was just opened: messages in an earlier queue are lost, and a
-- message that is sent twice is received once. $1 seller, $2 account
select run.seller_id, run.id, run.account_id, run.marketplace_code, run.kind, run.step, run.generation, account.lane_queue_url
from robnu.sync_runs run
join robnu.marketplace_accounts account on account.seller_id = run.seller_id and account.id = run.account_id
where run.seller_id = $1 and run.account_id = $2 and run.state = 'QUEUED'
  and not robnu.is_held(account.held_at, account.marketplace_code)

-- Leaves the remaining work to the next step, behind whatever waits in the lane, and says whether operators hold the account's runs.
-- $1 run, $2 step, $3 attempt
update robnu.sync_runs r
set state = 'QUEUED', step = step + 1, generation = 0, queued_at = now(), sent_at = null, lease_expires_at = null
from robnu.marketplace_accounts a
where r.id = $1 and r.step = $2 and r.attempt = $3 and r.state = 'RUNNING'
  and a.seller_id = r.seller_id and a.id = r.account_id
returning r.step, r.generation, a.lane_queue_url, robnu.is_held(a.held_at, a.marketplace_code) as is_held

-- Leaves the remaining work to the next step, behind whatever waits in the lane, and says whether operators hold the account's runs. When
-- other runs of the account wait for their turn, the step waits for its own behind them and is not published.
-- $1 run, $2 step, $3 attempt, $4 kinds that take turns with it, $5 seconds until a sweep publishes a step that waits for its turn
with mine as (
  select r.seller_id, r.id, exists (
      select from robnu.sync_runs o
      where o.seller_id = r.seller_id and o.account_id = r.account_id and o.turn_since is not null and o.state in ('QUEUED', 'WAITING')
        and o.kind = any ($4)) as must_wait
  from robnu.sync_runs r
  where r.id = $1 and r.state = 'RUNNING'
)
update robnu.sync_runs r
set state = case when must_wait then 'WAITING' else 'QUEUED' end, step = step + 1, generation = 0, queued_at = now(), sent_at = null,
  lease_expires_at = null, turn_since = case when must_wait then now() end,
  next_attempt_at = case when must_wait then now() + make_interval(secs => $5) else next_attempt_at end,
  error_code = case when must_wait then 'waits_for_turn' end,
  error_message = case when must_wait then 'another run of the account is at work' end
from mine, robnu.marketplace_accounts a
where r.seller_id = mine.seller_id and r.id = mine.id and r.step = $2 and r.attempt = $3 and r.state = 'RUNNING'
  and a.seller_id = r.seller_id and a.id = r.account_id
returning r.step, r.generation, r.state = 'WAITING' as must_wait, a.lane_queue_url, robnu.is_held(a.held_at, a.marketplace_code) as is_held

-- Queues the account's run that has waited longest for its turn, in a new generation, and returns it to be published. Returns no row when
-- none waits, while another one is at work (as in take_lease.sql), while the message of the first is on its way, and while operators hold the account's runs or
-- the account takes none. Without a lane the run is queued and published with its lane.
-- $1 account, $2 kinds that take turns with each other, $3 seconds until somebody else may publish it
with first as (
  select r.seller_id, r.id, r.state, r.sent_at, r.next_attempt_at
  from robnu.sync_runs r
  where r.account_id = $1 and r.turn_since is not null and r.state in ('QUEUED', 'WAITING')
  order by r.turn_since, r.id
  limit 1
)
update robnu.sync_runs run
set state = 'QUEUED', generation = generation + 1, sent_at = null, next_attempt_at = now() + make_interval(secs => $3)
from first, robnu.marketplace_accounts a
where run.seller_id = first.seller_id and run.id = first.id and run.state in ('QUEUED', 'WAITING') and run.turn_since is not null
  and (run.state = 'WAITING'
    or coalesce(run.sent_at + interval '2 minutes', greatest(run.queued_at + interval '30 seconds', run.next_attempt_at)) <= now())
  and a.seller_id = first.seller_id and a.id = $1 and a.status in ('ACTIVE', 'NEEDS_RECONNECT')
  and not robnu.is_held(a.held_at, a.marketplace_code)
  and not exists (
    select from robnu.sync_runs o
    where o.seller_id = first.seller_id and o.account_id = $1 and o.kind = any ($2) and o.state = 'RUNNING' and o.trigger <> 'FILE'
      and o.lease_expires_at >= now() - interval '60 seconds')
returning run.seller_id, run.id, run.account_id, run.marketplace_code, run.kind, run.step, run.generation, a.lane_queue_url

-- Takes the lease of one step if it is free and operators do not hold the account's runs, and returns the run's state either way. A run
-- whose account has another run at work that must not overlap with it, or one that has waited longer for its turn, rests instead: it waits,
-- and whoever ends work on the account publishes it (next_in_turn.sql). A lease length later the sweep does. An earlier run whose message
-- nobody has received for two minutes keeps nobody back, nor does one whose lease has been over for a minute: until then its function may be
-- storing a long page (AdapterTimeoutSeconds is less than LeaseSeconds and that minute). The runs of a paused account in a shared lane are left alone, as those in a
-- paused queue of its own are.
-- $1 run, $2 account, $3 step, $4 generation, $5 lease in seconds, $6 the kinds that take turns with it; none for a run of a parallel kind
with asked as (
  select r.seller_id, r.id,
    exists (
      select from robnu.sync_runs o
      where o.seller_id = r.seller_id and o.account_id = r.account_id and o.kind = any ($6) and o.id <> r.id
        and o.state in ('QUEUED', 'RUNNING', 'WAITING') and o.trigger <> 'FILE'
        and case
          when o.state = 'RUNNING' then o.lease_expires_at >= now() - interval '60 seconds'
          when o.state = 'QUEUED'
            and coalesce(o.sent_at + interval '2 minutes', greatest(o.queued_at + interval '30 seconds', o.next_attempt_at)) <= now() then false
          else (o.turn_since, o.id) < (coalesce(r.turn_since, 'infinity'), r.id)
        end) as must_wait
  from robnu.sync_runs r
  where r.id = $1 and r.account_id = $2
), taken as (
  update robnu.sync_runs run
  set state = case when must_wait then 'WAITING' else 'RUNNING' end,
    attempt = attempt + case when must_wait then 0 else 1 end,
    fruitless_attempts = fruitless_attempts + case when must_wait then 0 else 1 end,
    lease_expires_at = case when not must_wait then now() + make_interval(secs => $5) end,
    next_attempt_at = case when must_wait then now() + make_interval(secs => $5) else next_attempt_at end,
    turn_since = case when must_wait then coalesce(turn_since, now()) end,
    started_at = case when must_wait then started_at else coalesce(started_at, now()) end,
    error_code = case when must_wait then 'waits_for_turn' end,
    error_message = case when must_wait then 'another run of the account is at work' end
  from asked
  where run.seller_id = asked.seller_id and run.id = asked.id and account_id = $2 and step = $3 and generation = $4
    and (state = 'QUEUED' or (state = 'RUNNING' and lease_expires_at < now()))
    and not exists (
      select from robnu.marketplace_accounts a
      where a.id = $2 and (robnu.is_held(a.held_at, a.marketplace_code) or (a.lane_shared and a.status = 'PAUSED' and run.kind = any ($6))))
  returning new.state, new.attempt, new.fruitless_attempts, new.fruitless_attempts - new.deferred_attempts as failed_attempts, old.state = 'RUNNING' as takes_over
)
select r.kind, r.state, r.step, r.generation, r.full_read, r.pages, r.page_position, r.changed_since, r.window_from, r.window_until, r.trace_id,
  case when taken.state = 'RUNNING' then taken.attempt end as attempt, taken.fruitless_attempts, taken.failed_attempts, taken.takes_over,
  taken.state is not distinct from 'WAITING' as must_wait, a.status as account_status, a.credentials_generation, a.marketplace_code,
  robnu.is_held(a.held_at, a.marketplace_code) or (a.lane_shared and a.status = 'PAUSED' and r.kind = any ($6)) as is_held,
  w.complete_until as watermark, w.looked_back_at < now() - interval '6 hours' as looks_back,
  exists (select from robnu.quarantined_records q where q.account_id = r.account_id and q.retry_requested_at is not null) as has_retries
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
left join robnu.watermarks w on w.seller_id = r.seller_id and w.account_id = r.account_id and w.kind = r.kind
left join taken on true
where r.id = $1 and r.account_id = $2

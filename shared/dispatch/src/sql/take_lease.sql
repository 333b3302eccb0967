-- Takes the lease of one step if it is free and operators do not hold the account's runs, and returns the run's state either way.
-- $1 run, $2 account, $3 step, $4 generation, $5 lease in seconds
with taken as (
  update robnu.sync_runs
  set state = 'RUNNING', attempt = attempt + 1, fruitless_attempts = fruitless_attempts + 1,
    lease_expires_at = now() + make_interval(secs => $5), started_at = coalesce(started_at, now()),
    error_code = null, error_message = null
  where id = $1 and account_id = $2 and step = $3 and generation = $4
    and (state = 'QUEUED' or (state = 'RUNNING' and lease_expires_at < now()))
    and not exists (select from robnu.marketplace_accounts a where a.id = $2 and robnu.is_held(a.held_at, a.marketplace_code))
  returning new.attempt, new.fruitless_attempts, old.state = 'RUNNING' as takes_over
)
select r.kind, r.state, r.step, r.generation, r.full_read, r.pages, r.page_position, r.changed_since, r.window_from, r.window_until, r.trace_id,
  taken.attempt, taken.fruitless_attempts, taken.takes_over, a.status as account_status, a.credentials_generation, a.marketplace_code,
  robnu.is_held(a.held_at, a.marketplace_code) as is_held,
  w.complete_until as watermark, w.looked_back_at < now() - interval '6 hours' as looks_back,
  exists (select from robnu.quarantined_records q where q.account_id = r.account_id and q.retry_requested_at is not null) as has_retries
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
left join robnu.watermarks w on w.seller_id = r.seller_id and w.account_id = r.account_id and w.kind = r.kind
left join taken on true
where r.id = $1 and r.account_id = $2

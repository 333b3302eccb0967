-- Makes a run for an active account, or returns the live one of the same account and kind. An account that must be reconnected
-- can still be checked while it has its lane. Files need neither credentials nor lane. A run is made and not to be published when
-- operators hold it, or when as many of its marketplace are under way as may be at once; a sweep publishes it later. Somebody waits
-- for a check, so checks, of which few are allowed, have no such bound. A run that is held back is due since it was queued: next_attempt_at
-- says so to sweeps, which otherwise leave a new run to its writer for a while (admit.sql). Returns no row when the marketplace's adapter does not offer the kind.
-- $1 run id, $2 account, $3 kind, $4 full read, $5 and $6 start and end of the window of placed orders to read, or null,
-- $7 trace of the request, or null
with account as (
  select a.seller_id, a.id, a.marketplace_code, a.lane_queue_url,
    robnu.is_held(a.held_at, a.marketplace_code) or ($3 <> 'CREDENTIAL_CHECK' and not robnu.has_room(a.marketplace_code)) as is_held_back
  from robnu.marketplace_accounts a
  join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.kind = $3 and k.support = 'LIVE'
  where a.id = $2 and (a.status = 'ACTIVE' or (a.status = 'NEEDS_RECONNECT' and $3 in ('CREDENTIAL_CHECK', 'FILE_IMPORT')))
    and ($3 = 'FILE_IMPORT' or robnu.lane_wanted(a.status, a.verified_at, a.refused_since) = 'ACTIVE')
), made as (
  insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, full_read, window_from, window_until, trace_id,
    next_attempt_at)
  select seller_id, $1, id, marketplace_code, $3, 'API', $4, $5, $6, $7, case when is_held_back then now() end from account
  on conflict (seller_id, account_id, kind) where state in ('QUEUED', 'RUNNING', 'WAITING') and trigger <> 'FILE' do nothing
  returning id, state, step, generation
)
select made.id, made.state, made.step, made.generation, null::timestamptz as next_attempt_at, null::text as error_message, true as is_new, not account.is_held_back as is_unpublished, account.marketplace_code, account.lane_queue_url
from made, account
union all
select live.id, live.state, live.step, live.generation, case live.state when 'WAITING' then live.next_attempt_at end,
  case live.state when 'WAITING' then live.error_message end, false,
  live.state = 'QUEUED' and live.sent_at is null and not account.is_held_back, account.marketplace_code, account.lane_queue_url
from account
join robnu.sync_runs live on live.account_id = account.id and live.kind = $3 and live.trigger <> 'FILE' and live.state in ('QUEUED', 'RUNNING', 'WAITING')
where not exists (select from made)

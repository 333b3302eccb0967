-- Pauses, resumes or disconnects an account that has another status. Its live and dead-lettered runs end, because nothing may be
-- read meanwhile; its schedules, but for checks, are due at once when it is active again. An account that was paused with refused credentials and
-- has no new ones still needs them after resuming. $1 account, $2 status, $3 statuses from which it may get there
with account as (
  update robnu.marketplace_accounts
  set status = case when $2 = 'ACTIVE' and paused_generation = credentials_generation then 'NEEDS_RECONNECT' else $2 end,
    paused_generation = case when status = 'NEEDS_RECONNECT' then credentials_generation end, updated_at = now()
  where id = $1 and status = any ($3)
  returning seller_id, id, status
), ended as (
  update robnu.sync_runs r
  set state = 'CANCELLED', finished_at = now(), lease_expires_at = null, next_attempt_at = null,
    error_code = 'account_' || lower($2), error_message = 'the account was taken out of service'
  from account
  where r.seller_id = account.seller_id and r.account_id = account.id and r.state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')
    and $2 <> 'ACTIVE'
), due as (
  update robnu.schedules s
  set next_due_at = now()
  from account
  where s.seller_id = account.seller_id and s.account_id = account.id and account.status = 'ACTIVE' and s.kind <> 'CREDENTIAL_CHECK'
)
select id from account

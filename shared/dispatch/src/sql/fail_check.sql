-- Ends a run whose credentials the marketplace refuses or could not be asked about, and records it on the account. An attempt
-- that was taken over changes nothing. An attempt whose credentials were replaced meanwhile ends only its run.
-- $1 run, $2 step, $3 attempt, $4 error code, $5 error message, $6 generation of the credentials, $7 REFUSED or UNREACHABLE
with failed as (
  update robnu.sync_runs
  set state = 'FAILED', finished_at = now(), lease_expires_at = null, error_code = $4, error_message = $5
  where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'
  returning seller_id, account_id
), noted as (
  update robnu.marketplace_accounts a
  set last_validated_at = now(), last_validation = $7, updated_at = now()
  from failed f
  where a.seller_id = f.seller_id and a.id = f.account_id and a.status <> 'DISCONNECTED' and a.credentials_generation = $6
  returning a.seller_id, a.id
)
insert into robnu.credential_events (seller_id, account_id, event)
select seller_id, id, $7 from noted

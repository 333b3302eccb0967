-- Ends a check that the account's credentials passed, and records it on the account unless they were replaced meanwhile.
-- $1 run, $2 step, $3 attempt, $4 generation of the credentials
with finished as (
  update robnu.sync_runs
  set state = 'SUCCEEDED', finished_at = now(), lease_expires_at = null
  where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'
  returning seller_id, account_id
), noted as (
  update robnu.marketplace_accounts a
  set last_validated_at = now(), last_validation = 'OK', updated_at = now()
  from finished f
  where a.seller_id = f.seller_id and a.id = f.account_id and a.credentials_generation = $4
  returning a.seller_id, a.id
)
insert into robnu.credential_events (seller_id, account_id, event)
select seller_id, id, 'VALIDATED' from noted

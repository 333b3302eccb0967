-- Follows the replacement of credentials: an account that needed them or was disconnected is active again, the event is
-- noted, and its schedules are due at once, but for checks: the new credentials have just been checked. $1 account
with account as (
  update robnu.marketplace_accounts
  set status = case when status in ('NEEDS_RECONNECT', 'DISCONNECTED') then 'ACTIVE' else status end, updated_at = now()
  where id = $1
  returning seller_id, id
), noted as (
  insert into robnu.credential_events (seller_id, account_id, event)
  select seller_id, id, 'ROTATED' from account
)
update robnu.schedules s
set next_due_at = now()
from account
where s.seller_id = account.seller_id and s.account_id = account.id and s.kind <> 'CREDENTIAL_CHECK'

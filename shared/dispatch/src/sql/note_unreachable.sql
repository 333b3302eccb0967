-- Records on the account that the marketplace could not be asked about its credentials, while the check keeps trying.
-- $1 run, $2 step, $3 attempt, $4 generation of the credentials
with holder as (
  select seller_id, account_id from robnu.sync_runs
  where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'
  for update
)
update robnu.marketplace_accounts a
set last_validated_at = now(), last_validation = 'UNREACHABLE', updated_at = now()
from holder h
where a.seller_id = h.seller_id and a.id = h.account_id and a.credentials_generation = $4

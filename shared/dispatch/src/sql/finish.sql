-- Ends a run, moves the account's watermark and notes that its credentials are good, in the transaction of the last page.
-- $1 run, $2 step, $3 attempt
with finished as (
  update robnu.sync_runs
  set state = 'SUCCEEDED', finished_at = now(), lease_expires_at = null, page_position = null
  where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'
  returning seller_id, account_id, complete_until
)
update robnu.marketplace_accounts a
set orders_watermark = greatest(a.orders_watermark, f.complete_until), last_validated_at = now(), last_validation = 'OK',
  updated_at = now()
from finished f
where a.seller_id = f.seller_id and a.id = f.account_id

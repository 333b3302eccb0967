-- The seller's accounts, oldest first.
select id, marketplace_code, external_account_id, display_name, status, lane_state, created_at
from robnu.marketplace_accounts
order by id

-- How an account stands, and whether the member may run syncs. $1 account
select status, robnu.app_may('sync.run') as may_sync
from robnu.marketplace_accounts
where id = $1

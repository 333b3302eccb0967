-- Lets the rest of the transaction read the account's credentials, and notes that in the audit trail. It does so only if the
-- transaction has leased the run and the run may go on. $1 account, $2 purpose, $3 run, $4 statuses of an account whose run
-- may go on, $5 how many failed attempts at most
select robnu.open_credentials($1, $2)
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
where r.id = $3 and r.account_id = $1
  -- True for a row that this transaction wrote, and it writes only a lease.
  and r.xmin = pg_current_xact_id()::xid
  and a.status = any ($4) and r.fruitless_attempts - r.deferred_attempts <= $5

-- Lets the rest of the transaction read the account's credentials, and notes in the audit trail that it did: when the
-- transaction has claimed the run, and the run may go on. $1 account, $2 purpose, $3 run, $4 statuses of an account whose
-- run may go on, $5 how many fruitless claims at most
select robnu.open_credentials($1, $2)
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
where r.id = $3 and r.account_id = $1
  -- Written by this transaction, which has nothing to write but a lease.
  and r.xmin = pg_current_xact_id()::xid
  and a.status = any ($4) and r.fruitless_attempts <= $5

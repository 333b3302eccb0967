-- Lets an account's queued runs count as unsent, in another generation, because their messages lie in a queue that the account leaves. One
-- that is still delivered is a stale one then. The new lane publishes them. Runs that go through the parallel queue in any case stay.
-- $1 seller, $2 account, $3 kinds
update robnu.sync_runs
set generation = generation + 1, sent_at = null
where seller_id = $1 and account_id = $2 and kind = any ($3) and state = 'QUEUED'

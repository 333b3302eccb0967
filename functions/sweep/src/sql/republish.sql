-- Finds runs that must be published: never sent, sent but not leased, done waiting, or dropped by their lease holder. Raises their
-- generation, so that the queue does not take the new message for the old one, and returns the messages to publish. A run whose account is
-- not active or has no lane yet is left alone, except the check of an account that must be reconnected and the import of a file, which
-- needs neither credentials nor lane. Runs of suspended sellers and those that operators hold are left alone too. A run whose
-- next_attempt_at is in the future is not published again.
-- $1 runs at most, $2 codes of the marketplaces that have an adapter, $3 seconds until an unsent run is published again,
-- $4 seconds until a run that nobody leased is, $5 seconds that a lease may be overdue
with again as (
  update robnu.sync_runs
  set state = 'QUEUED', generation = generation + 1, sent_at = null, next_attempt_at = now() + make_interval(secs => $3)
  where state in ('QUEUED', 'RUNNING', 'WAITING') and id = any (array(
    select run.id
    from robnu.sync_runs run
    join robnu.marketplace_accounts account on account.seller_id = run.seller_id and account.id = run.account_id
    join robnu.sellers seller on seller.seller_id = run.seller_id and seller.suspended_at is null
    where (account.status = 'ACTIVE' or (account.status = 'NEEDS_RECONNECT' and run.kind in ('CREDENTIAL_CHECK', 'FILE_IMPORT')))
      and (account.lane_queue_url is not null or run.kind = 'FILE_IMPORT') and run.marketplace_code = any ($2)
      and not robnu.is_held(account.held_at, account.marketplace_code)
      and ((run.state = 'QUEUED' and run.sent_at is null
          and greatest(run.queued_at + make_interval(secs => $3), run.next_attempt_at) <= now())
        or (run.state = 'QUEUED' and run.sent_at <= now() - make_interval(secs => $4))
        or (run.state = 'WAITING' and run.next_attempt_at <= now())
        or (run.state = 'RUNNING' and run.lease_expires_at <= now() - make_interval(secs => $5)))
    order by run.queued_at
    limit $1
    for update of run skip locked))
  returning seller_id, id, account_id, marketplace_code, kind, step, generation
)
select again.seller_id, again.id, again.account_id, again.marketplace_code, again.kind, again.step, again.generation,
  account.lane_queue_url
from again
join robnu.marketplace_accounts account on account.seller_id = again.seller_id and account.id = again.account_id

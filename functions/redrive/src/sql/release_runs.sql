-- Lets queued runs go on whose message was sent before a hold ended, or is being sent, and may have been turned away: they count as
-- unsent, in another generation, so that a message which is still on its way, or its mark as sent, is a stale one. They wait from now on.
-- What nobody has been sending for half a minute is found by the sweep as it is.
-- What is still held stays. Returns how many.
-- $1 account or null, $2 marketplace or null, $3 when the hold ended, $4 how many at most
with waiting as (
  select r.seller_id, r.id
  from robnu.sync_runs r
  join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
  where r.state = 'QUEUED' and (r.sent_at < $3 or (r.sent_at is null and r.queued_at < $3 and greatest(r.queued_at, r.next_attempt_at) > $3 - interval '30 seconds')) and ($1::uuid is null or r.account_id = $1) and ($2::text is null or r.marketplace_code = $2)
    and not robnu.is_held(a.held_at, a.marketplace_code)
  limit $4
  for update of r skip locked
), released as (
  update robnu.sync_runs r set sent_at = null, generation = r.generation + 1, queued_at = now()
  from waiting w where r.seller_id = w.seller_id and r.id = w.id
  returning r.id
)
select count(*) as released from released

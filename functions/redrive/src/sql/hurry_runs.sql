-- Lets runs try at once that wait because their marketplace did not answer, or nonsense: an operator who lets it go on knows that it answers
-- again. What waits for something else keeps its time: its turn, an earlier file, a marketplace's own pause, a report that is being made. What
-- is held stays. Returns how many. $1 account or null, $2 marketplace or null, $3 how many at most
with waiting as (
  select r.seller_id, r.id
  from robnu.sync_runs r
  join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id
  where r.state = 'WAITING' and r.next_attempt_at > now() and r.error_code in ('marketplace_unavailable', 'marketplace_garbled')
    and ($1::uuid is null or r.account_id = $1) and ($2::text is null or r.marketplace_code = $2)
    and not robnu.is_held(a.held_at, a.marketplace_code)
  limit $3
  for update of r skip locked
), hurried as (
  update robnu.sync_runs r set next_attempt_at = now()
  from waiting w where r.seller_id = w.seller_id and r.id = w.id
  returning r.id
)
select count(*) as released from hurried

-- Makes schedules due that the sweep has passed over during a hold, at the last time that they would have been due, so that they keep
-- their phase and accounts stay spread out. What is still held stays. Returns how many.
-- $1 account or null, $2 marketplace or null, $3 since when it was held, $4 when the hold ended, $5 how many at most
with passed_over as (
  select d.seller_id, d.id
  from robnu.schedules d
  join robnu.marketplace_accounts a on a.seller_id = d.seller_id and a.id = d.account_id
  where d.enabled and d.next_due_at > $4 and d.last_claimed_at >= $3 and d.last_claimed_at < $4
    and ($1::uuid is null or d.account_id = $1) and ($2::text is null or a.marketplace_code = $2)
    and not robnu.is_held(a.held_at, a.marketplace_code)
  limit $5
  for update of d skip locked
), released as (
  update robnu.schedules d set next_due_at = date_bin(make_interval(mins => d.every_minutes), $4, d.next_due_at)
  from passed_over p where d.seller_id = p.seller_id and d.id = p.id
  returning d.id
)
select count(*) as released from released

-- A page of runs, newest first, with what they did to rows of all streams. The step is named for the index sync_runs_newest, which also
-- finds the one run of $11. $1 marketplace, $2 seller, $3 account, $4 kind, $5 state, $6 error code, $7 and $8 since and before when they
-- were made; null: all. $9 the last id of the page before or null, $10 how many, $11 only this run or null
select r.id, r.marketplace_code as marketplace, r.seller_id, r.account_id, r.kind, r.trigger, r.full_read, r.state, r.step, r.generation,
  r.attempt, r.fruitless_attempts, r.pages, r.quarantined, counts.added, counts.changed, counts.unchanged, counts.removed,
  uuid_extract_timestamp(r.id) as made_at, r.queued_at, r.sent_at, r.started_at, r.lease_expires_at, r.next_attempt_at, r.finished_at,
  r.error_code, r.trace_id
from robnu.sync_runs r
cross join lateral (
  select coalesce(sum(c.added), 0)::bigint as added, coalesce(sum(c.changed), 0)::bigint as changed,
    coalesce(sum(c.unchanged), 0)::bigint as unchanged, coalesce(sum(c.removed), 0)::bigint as removed
  from robnu.sync_run_counts c where c.seller_id = r.seller_id and c.run_id = r.id
) counts
where ($1::text is null or r.marketplace_code = $1) and ($2::uuid is null or r.seller_id = $2) and ($3::uuid is null or r.account_id = $3)
  and ($3 is null or r.seller_id = any (array(select a.seller_id from robnu.marketplace_accounts a where a.id = $3)))
  and ($4::text is null or r.kind = $4) and ($5::text is null or r.state = $5) and ($6::text is null or r.error_code = $6)
  and r.step >= 0 and r.id >= coalesce($11::uuid, (select uuidv7(coalesce($7::timestamptz, '2020-01-01T00:00:00Z') - now())))
  and r.id <= coalesce($11, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and ($11 is not null or r.id < (select uuidv7(coalesce($8::timestamptz, now() + interval '1 day') - now())))
  and ($9::uuid is null or r.id < $9)
order by r.id desc
limit $10

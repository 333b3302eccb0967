-- Finds runs that must be published: never sent, sent but not leased, done waiting, or dropped by their lease holder. Of each marketplace
-- it takes as many as there is room for (room_of in 0009_runs.sql), the seller first who has the fewest under way, and of each seller the
-- oldest first. Raises the generation of those that may have been sent, so that the queue does not take the new message for an old one,
-- and returns what to publish. A run whose account is not active or has no lane yet is left alone, except the check of an account that
-- must be reconnected and the import of a file, which needs neither credentials nor lane. Runs of suspended sellers and those that
-- operators hold are left alone too. A run whose next_attempt_at is in the future is not published again. Always returns a row: its run is
-- null when none was taken.
-- $1 runs at most, $2 codes of the marketplaces that have an adapter, $3 seconds until an unsent run is published again unless only a
-- sweep publishes it, $4 seconds until a run that nobody leased is, $5 seconds that a lease may be overdue
with room as (
  select m.code, robnu.room_of(m.code) as free from robnu.marketplaces m where m.code = any ($2) and m.held_at is null
), busy as (
  -- What each seller has under way already.
  select room.code, run.seller_id, count(*) as runs
  from room
  cross join lateral robnu.runs_under_way(room.code) run
  group by room.code, run.seller_id
), due as (
  select room.code, room.free, run.*
  from room
  cross join lateral (
    select r.*, greatest(r.queued_at, r.next_attempt_at) as since
    from (
      -- After an outage there may be a million of these. So they are read in the order of their index, no further than is needed, and
      -- those that rest are passed by here already.
      (select seller_id, id, account_id, kind, state, step, generation, sent_at, lease_expires_at, queued_at, next_attempt_at
      from robnu.sync_runs unsent
      where marketplace_code = room.code and state = 'QUEUED' and sent_at is null
        and (trigger = 'SCHEDULE' and step = 0 and generation = 0 and next_attempt_at is null
          -- Its writer held it back, and so will not publish it.
          or next_attempt_at = queued_at
          or greatest(queued_at + make_interval(secs => $3), next_attempt_at) <= now())
        and (select robnu.takes_runs(a.status, a.lane_queue_url, unsent.kind) and not robnu.is_held(a.held_at, a.marketplace_code)
            and s.suspended_at is null
          from robnu.marketplace_accounts a join robnu.sellers s on s.seller_id = a.seller_id
          where a.seller_id = unsent.seller_id and a.id = unsent.account_id)
      order by queued_at
      limit 4 * $1::bigint)
      union all
      select seller_id, id, account_id, kind, state, step, generation, sent_at, lease_expires_at, queued_at, next_attempt_at
      from robnu.sync_runs
      where marketplace_code = room.code and state = 'QUEUED' and sent_at is not null and sent_at <= now() - make_interval(secs => $4)
      union all
      select seller_id, id, account_id, kind, state, step, generation, sent_at, lease_expires_at, queued_at, next_attempt_at
      from robnu.sync_runs
      where marketplace_code = room.code and state = 'WAITING' and next_attempt_at <= now()
      union all
      select seller_id, id, account_id, kind, state, step, generation, sent_at, lease_expires_at, queued_at, next_attempt_at
      from robnu.sync_runs
      where marketplace_code = room.code and state = 'RUNNING' and lease_expires_at <= now() - make_interval(secs => $5)
    ) r
    join robnu.marketplace_accounts account on account.seller_id = r.seller_id and account.id = r.account_id
      and robnu.takes_runs(account.status, account.lane_queue_url, r.kind)
      and not robnu.is_held(account.held_at, account.marketplace_code)
    join robnu.sellers seller on seller.seller_id = r.seller_id and seller.suspended_at is null
    order by r.queued_at
    limit 4 * $1::bigint
  ) run
), in_turn as (
  -- A run that could not be sent, or has waited, stands behind those of its seller that are due since then.
  select due.*, coalesce(busy.runs, 0) + row_number() over (partition by due.code, due.seller_id order by due.since, due.id) as turn
  from due
  left join busy on busy.code = due.code and busy.seller_id = due.seller_id
), placed as (
  select in_turn.*, row_number() over (partition by code order by turn, since, id) as place from in_turn
), chosen as (
  select * from placed where place <= free order by place limit $1
), taken as (
  update robnu.sync_runs run
  set state = 'QUEUED', sent_at = null,
    -- Nobody has published a schedule's new run yet.
    generation = run.generation + case when run.trigger = 'SCHEDULE' and run.step = 0 and run.generation = 0 and run.next_attempt_at is null
      then 0 else 1 end,
    next_attempt_at = now() + make_interval(secs => $3)
  where (run.seller_id, run.id) in (
    select r.seller_id, r.id
    from chosen c
    -- What somebody has changed since it was found is left to them.
    join robnu.sync_runs r on r.seller_id = c.seller_id and r.id = c.id
      and (r.state, r.step, r.generation, r.sent_at, r.lease_expires_at)
        is not distinct from (c.state, c.step, c.generation, c.sent_at, c.lease_expires_at)
    for update of r skip locked)
  returning run.seller_id, run.id, run.account_id, run.marketplace_code, run.kind, run.step, run.generation,
    old.generation = new.generation as is_first
), totals as (
  select (select count(*) from chosen) = $1 as more_due,
    (select count(*) from placed where place > free) > 0 as is_held_back
)
select totals.more_due, totals.is_held_back, taken.is_first, taken.seller_id, taken.id, taken.account_id, taken.marketplace_code, taken.kind,
  taken.step, taken.generation, account.lane_queue_url
from totals
left join taken on true
left join robnu.marketplace_accounts account on account.seller_id = taken.seller_id and account.id = taken.account_id

-- The seller's runs, newest first: before run $1, $2 of them. One run alone, and those of an account: variants.rs.
select r.id, r.account_id, r.kind, r.trigger, r.window_from, r.window_until, r.state, r.step, r.attempt, r.pages, r.quarantined,
  r.error_code, r.error_message, r.queued_at, r.started_at, r.finished_at,
  case r.state when 'WAITING' then r.next_attempt_at end as next_attempt_at, c.streams, c.added, c.changed, c.unchanged, c.removed
from (
  select * from robnu.sync_runs where id < $1 order by id desc limit $2
) r
left join lateral (
  select array_agg(n.stream order by n.stream) as streams, array_agg(n.added order by n.stream) as added,
    array_agg(n.changed order by n.stream) as changed, array_agg(n.unchanged order by n.stream) as unchanged,
    array_agg(n.removed order by n.stream) as removed
  from robnu.sync_run_counts n
  where n.seller_id = r.seller_id and n.run_id = r.id
) c on true
order by r.id desc

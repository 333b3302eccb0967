-- Takes up redriven dead letters whose message was not sent in time, and returns what to send, in the order in which they died. A run gets
-- another generation, so that a message which did arrive is a stale one. A run that its account does not take now, or that is held, is left
-- to the scheduling sweep.
-- $1 how many, $2 seconds until somebody else may send the messages
with due as (
  select d.id, d.form, d.seller_id, d.run_id, d.step, d.requeued_generation
  from robnu.dead_letters d
  where d.state = 'REDRIVEN' and d.published_at is null and d.publish_after <= now()
  order by d.sent_at, d.id
  limit $1
  for update of d skip locked
), again as (
  update robnu.sync_runs r
  set generation = r.generation + 1, next_attempt_at = now() + make_interval(secs => $2)
  from due
  join robnu.marketplace_accounts a on a.seller_id = due.seller_id
  join robnu.sellers s on s.seller_id = due.seller_id and s.suspended_at is null
  where due.form = 'JOB' and r.seller_id = due.seller_id and r.id = due.run_id and a.id = r.account_id
    and robnu.takes_runs(a.status, a.lane_queue_url, r.kind) and not robnu.is_held(a.held_at, a.marketplace_code)
    and r.state = 'QUEUED' and r.sent_at is null and r.step = due.step and r.generation >= due.requeued_generation
    and coalesce(r.next_attempt_at <= now(), true)
  returning due.id as letter_id, r.seller_id, r.id, r.account_id, r.marketplace_code, r.kind, r.step, r.generation, a.lane_queue_url
), postponed as (
  update robnu.dead_letters d
  set publish_after = now() + make_interval(secs => $2)
  from due where d.id = due.id
  returning d.id, d.outcome, d.source, d.body, d.sent_at
)
select p.id as letter_id, p.outcome, p.source, p.body, q.id, q.step, q.generation, q.seller_id, q.account_id, q.marketplace_code, q.kind,
  q.lane_queue_url
from postponed p
left join again q on q.letter_id = p.id
where q.id is not null or p.outcome = 'SENT'
order by p.sent_at, p.id

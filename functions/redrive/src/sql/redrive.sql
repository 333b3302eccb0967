-- Takes the dead letters that died first, at most one of each account and queue, requeues or ends their runs, closes them and records
-- who did it. Returns what to send, in the order in which they died. Of 200 candidates the first of each account are taken, so that a
-- wave is not read whole each time. One that another redrive takes at the same moment is left to it.
-- $1 source, $2 seller, $3 account, $4 kind, $5 reason, $6 and $7 since and before when, $8 ids; null: all. $9 how many, $10 operator,
-- $11 reason of the redrive, $12 action, $13 what was asked for, $14 seconds until somebody else may send the messages
with candidates as (
  select p.id, p.prospect, p.queue, coalesce(p.account_id, p.id) as account, p.sent_at
  from robnu.dead_letter_prospects($1, $2, $3, $4, $5, $6, $7, $8) p
  where p.prospect in ('PUBLISH', 'SEND', 'MOVED_ON', 'SUPERSEDED')
  order by p.sent_at, p.id
  limit 200
), first as (
  select distinct on (account, queue) id, prospect from candidates order by account, queue, sent_at, id
), taken as (
  select d.id, f.prospect, d.seller_id, d.run_id, d.step, d.generation, d.source, d.body, d.sent_at
  from robnu.dead_letters d
  join first f on f.id = d.id
  where d.state = 'OPEN'
  order by d.sent_at, d.id
  limit $9
  for update of d skip locked
), requeued as (
  update robnu.sync_runs r
  set state = 'QUEUED', generation = r.generation + 1, fruitless_attempts = 0, deferred_attempts = 0, queued_at = now(), sent_at = null, next_attempt_at = null,
    finished_at = null, error_code = null, error_message = null
  from taken t
  where t.prospect = 'PUBLISH' and r.seller_id = t.seller_id and r.id = t.run_id and r.state = 'DEAD_LETTERED' and r.step = t.step
    and r.generation = t.generation
  returning t.id as letter_id, r.seller_id, r.id, r.account_id, r.marketplace_code, r.kind, r.step, r.generation
), ended as (
  update robnu.sync_runs r
  set state = 'FAILED', error_code = 'superseded', error_message = 'a later run of the same kind reads what this one was to read'
  from taken t
  where t.prospect = 'SUPERSEDED' and r.seller_id = t.seller_id and r.id = t.run_id and r.state = 'DEAD_LETTERED' and r.step = t.step
    and r.generation = t.generation
  returning t.id as letter_id
), closed as (
  update robnu.dead_letters d
  set state = 'REDRIVEN', closed_at = now(), closed_by = $10, close_reason = $11, action_id = $12,
    outcome = case t.prospect when 'PUBLISH' then 'PUBLISHED' when 'SEND' then 'SENT' else t.prospect end,
    requeued_generation = (select requeued.generation from requeued where requeued.letter_id = t.id),
    publish_after = case when t.prospect in ('PUBLISH', 'SEND') then now() + make_interval(secs => $14) end,
    published_at = case when t.prospect in ('MOVED_ON', 'SUPERSEDED') then now() end
  from taken t
  where d.id = t.id and (t.prospect in ('SEND', 'MOVED_ON')
    or t.id in (select letter_id from requeued) or t.id in (select letter_id from ended))
  returning d.id, d.outcome, d.source, d.body, d.sent_at
), noted as (
  insert into robnu.dead_letter_actions as known (id, action, operator, reason, asked, letters)
  select $12, 'REDRIVE', $10, $11, $13, count(*) from closed having count(*) > 0
  on conflict (id) do update set letters = known.letters + excluded.letters
)
select c.id as letter_id, c.outcome, c.source, c.body, q.id, q.step, q.generation, q.seller_id, q.account_id, q.marketplace_code, q.kind,
  a.lane_queue_url
from closed c
left join requeued q on q.letter_id = c.id
left join robnu.marketplace_accounts a on a.seller_id = q.seller_id and a.id = q.account_id
order by c.sent_at, c.id

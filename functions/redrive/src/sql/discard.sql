-- Gives open dead letters up, those that died first, ends their runs and records who did it. Returns how many.
-- $1 source, $2 seller, $3 account, $4 kind, $5 reason, $6 and $7 since and before when, $8 ids; null: all. $9 how many, $10 operator,
-- $11 reason of giving up, $12 action, $13 what was asked for
with taken as (
  select d.id, d.form, d.seller_id, d.run_id, d.account_id, d.step, d.generation
  from robnu.dead_letter_prospects($1, $2, $3, $4, $5, $6, $7, $8) p
  join robnu.dead_letters d on d.id = p.id
  where d.state = 'OPEN'
  order by d.sent_at, d.id
  limit $9
  for update of d skip locked
), ended as (
  update robnu.sync_runs r
  set state = 'FAILED', error_code = 'given_up', error_message = 'the run could not be worked on, and the platform''s operators gave it up'
  from taken t
  where t.form = 'JOB' and r.seller_id = t.seller_id and r.id = t.run_id and r.account_id = t.account_id and r.state = 'DEAD_LETTERED'
    and r.step = t.step and r.generation = t.generation
  returning r.id
), closed as (
  update robnu.dead_letters d
  set state = 'DISCARDED', closed_at = now(), closed_by = $10, close_reason = $11, action_id = $12
  from taken t where d.id = t.id
  returning d.id
), noted as (
  insert into robnu.dead_letter_actions (id, action, operator, reason, asked, letters)
  select $12, 'DISCARD', $10, $11, $13, count(*) from closed having count(*) > 0
)
select (select count(*) from closed) as discarded, (select count(*) from ended) as runs_ended

-- One dead letter, with its run as it is now. $1 its id
select d.id, d.state, d.outcome, d.source, d.form, d.reason, d.sent_at, d.recorded_at, d.seller_id, d.account_id, d.run_id, d.kind,
  d.closed_at, d.closed_by, d.close_reason, d.queue, d.from_queue, d.message_id, d.body, d.body_bytes, d.step, d.generation, d.action_id,
  d.published_at, r.state as run_state, r.step as run_step, r.generation as run_generation, p.prospect
from robnu.dead_letters d
left join robnu.sync_runs r on r.seller_id = d.seller_id and r.id = d.run_id and r.account_id = d.account_id
left join robnu.dead_letter_prospects(null, null, null, null, null, null, null, array[$1::uuid]) p on p.id = d.id
where d.id = $1

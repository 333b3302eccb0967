-- The dead letters that name a run, in the order in which they died. $1 the run
select id, state, outcome, source, form, reason, sent_at, recorded_at, seller_id, account_id, run_id, kind, closed_at, closed_by,
  close_reason, published_at
from robnu.dead_letters
where run_id = $1
order by sent_at, id
limit 100

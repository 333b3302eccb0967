-- Notes redriven dead letters as published whose run the scheduling sweep has published meanwhile, or which has gone on in another way.
update robnu.dead_letters d
set published_at = now()
where d.state = 'REDRIVEN' and d.published_at is null and d.form = 'JOB' and not exists (
  select from robnu.sync_runs r
  where r.seller_id = d.seller_id and r.id = d.run_id and r.state = 'QUEUED' and r.sent_at is null and r.step = d.step
    and r.generation >= d.requeued_generation)

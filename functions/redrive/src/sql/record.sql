-- Records dead letters, and marks the runs of those that are new and are the message of the run's present step and generation, unless
-- somebody holds the run. A message that died in the parallel queue is that of a run which goes through lanes only if its account has a
-- shared one. A waiting run was acknowledged, so its message cannot be what died last. Returns how many of each.
-- $1 the letters, as a JSON list of objects with these columns
with letters as (
  select l.*, row_number() over () as place
  from jsonb_to_recordset($1::text::jsonb) as l (queue text, message_id text, source text, from_queue text, form text, body text,
    body_bytes integer, reason text, sent_at timestamptz, seller_id uuid, account_id uuid, run_id uuid, kind text, step integer,
    generation integer, marks_run boolean, of_shared_lane boolean)
), recorded as (
  insert into robnu.dead_letters (queue, message_id, source, from_queue, form, body, body_bytes, reason, sent_at, seller_id, account_id,
    run_id, kind, step, generation)
  select queue, message_id, source, from_queue, form, body, body_bytes, reason, sent_at, seller_id, account_id, run_id, kind, step,
    generation
  from letters
  order by place
  on conflict (queue, message_id) do nothing
  returning queue, message_id
), marked as (
  update robnu.sync_runs r
  set state = 'DEAD_LETTERED', finished_at = now(), lease_expires_at = null, next_attempt_at = null, error_code = 'dead_lettered',
    error_message = 'the run could not be worked on, and waits until the platform''s operators queue it again'
  from letters l
  join recorded on recorded.queue = l.queue and recorded.message_id = l.message_id
  where l.marks_run and (not l.of_shared_lane or exists (
      select from robnu.marketplace_accounts a where a.seller_id = l.seller_id and a.id = l.account_id and a.lane_shared))
    and r.seller_id = l.seller_id and r.id = l.run_id and r.account_id = l.account_id and r.kind = l.kind
    and r.marketplace_code = l.source and r.step = l.step and r.generation = l.generation
    and (r.state = 'QUEUED' or (r.state = 'RUNNING' and r.lease_expires_at < now()))
  returning r.id
)
select (select count(*) from recorded) as recorded, (select count(*) from marked) as marked

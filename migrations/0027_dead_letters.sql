-- Dead letters: messages that no function could handle. The redrive function takes them out of the dead-letter queues, keeps them here
-- and marks their runs. Operators list, redrive and discard them.
--
-- When is a run DEAD_LETTERED? When the message of its present step and generation has died of too many receives in the queue that
-- runs of its account and kind go through, and nobody holds the run. A stale message changes no run: a newer one is on its way. Neither
-- does a message that an adapter refused, because it was in a wrong queue or names no run, and says nothing about the run's own message.
set local role robnu_owner;
set local search_path = robnu;
grant usage on schema robnu to robnu_system_redrive;

-- The table belongs to the platform: no seller sees it. Nothing in it is a foreign key, which could refuse a message of garbage.
create table dead_letters (
  id uuid primary key default uuidv7(),
  -- The dead-letter queue and SQS's id of the message in it. A message that is collected twice is one row.
  queue text not null,
  message_id text not null,
  -- Whose dead letter it is: a marketplace's code, LANE_REQUESTS or EXPORTS.
  source text not null,
  -- The queue that the message died in, if it is known.
  from_queue text,
  form text not null check (form in ('JOB', 'FILE_NOTICE', 'LANE_REQUEST', 'EXPORT', 'UNREADABLE')),
  -- What is sent again: ids only, written anew from what was read. Of an unreadable message only its beginning is kept.
  body text not null check (octet_length(body) <= 8192),
  body_bytes integer not null,
  -- Why an adapter refused it, or TOO_MANY_RECEIVES.
  reason text not null check (reason ~ '^[A-Za-z0-9_]{1,64}$'),
  -- SQS's time of the message: when it reached a FIFO dead-letter queue, or was first sent to the source of a Standard one. Dead letters
  -- of an account are redriven in this order.
  sent_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  -- What the message names.
  seller_id uuid,
  account_id uuid,
  run_id uuid,
  kind text,
  step integer,
  generation integer,
  state text not null default 'OPEN' check (state in ('OPEN', 'REDRIVEN', 'DISCARDED')),
  -- What became of a redriven one: its run was published, its body was sent again, or neither was needed, because its run had moved
  -- on or a later run of the account and kind reads all that it would have read.
  outcome text check (outcome in ('PUBLISHED', 'SENT', 'MOVED_ON', 'SUPERSEDED')),
  closed_at timestamptz,
  closed_by text,
  close_reason text,
  action_id uuid,
  -- The generation in which the redrive queued the run. The message is sent after the commit, and published_at follows that. Until
  -- publish_after only whoever redrove it sends it; later another invocation does.
  requeued_generation integer,
  publish_after timestamptz,
  published_at timestamptz,
  unique (queue, message_id),
  check ((state = 'OPEN') = (closed_at is null)),
  check ((state = 'OPEN') = (closed_by is null)),
  check ((state = 'REDRIVEN') = (outcome is not null)),
  check (state <> 'DISCARDED' or close_reason is not null)
);
create index dead_letters_open on dead_letters (sent_at, id) where state = 'OPEN';
create index dead_letters_unpublished on dead_letters (account_id, queue) where published_at is null and state = 'REDRIVEN';
create index dead_letters_by_end on dead_letters (closed_at);

-- Who redrove or discarded how many, and why: one row per invocation that changed something.
create table dead_letter_actions (
  id uuid primary key,
  action text not null check (action in ('REDRIVE', 'DISCARD')),
  operator text not null,
  reason text,
  -- The filters or ids that were asked for, as JSON.
  asked text not null,
  letters integer not null,
  began_at timestamptz not null default now()
);

alter table dead_letters enable row level security;
alter table dead_letters force row level security;
create policy owner on dead_letters for all to robnu_owner using (true) with check (true);
create policy redrive on dead_letters for all to robnu_system_redrive using (true) with check (true);
grant select,
  insert (queue, message_id, source, from_queue, form, body, body_bytes, reason, sent_at, seller_id, account_id, run_id, kind, step,
    generation),
  update (state, outcome, closed_at, closed_by, close_reason, action_id, requeued_generation, publish_after, published_at)
  on dead_letters to robnu_system_redrive;
alter table dead_letter_actions enable row level security;
alter table dead_letter_actions force row level security;
create policy owner on dead_letter_actions for all to robnu_owner using (true) with check (true);
create policy redrive on dead_letter_actions for all to robnu_system_redrive using (true) with check (true);
grant select, insert (id, action, operator, reason, asked, letters), update (letters) on dead_letter_actions to robnu_system_redrive;

-- Of sellers' rows the role sees ids, states and times, and of a run also whether it reads everything or a window. It writes what marking
-- and requeuing a run needs; not what the run has read.
create policy redrive on sync_runs for all to robnu_system_redrive using (true) with check (true);
grant select (seller_id, id, account_id, marketplace_code, kind, trigger, full_read, window_from, state, step, generation,
    lease_expires_at, fruitless_attempts, deferred_attempts, queued_at, sent_at, next_attempt_at),
  update (state, generation, lease_expires_at, fruitless_attempts, deferred_attempts, queued_at, sent_at, next_attempt_at, finished_at, error_code,
    error_message)
  on sync_runs to robnu_system_redrive;
create policy redrive on marketplace_accounts for select to robnu_system_redrive using (true);
grant select (seller_id, id, marketplace_code, status, lane_queue_url, held_at) on marketplace_accounts to robnu_system_redrive;
grant select (code, held_at) on marketplaces to robnu_system_redrive;
create policy redrive on sellers for select to robnu_system_redrive using (true);
grant select (seller_id, suspended_at, closing_step) on sellers to robnu_system_redrive;

-- The open dead letters that filters or ids choose, and what a redrive would do with each now:
--   PUBLISH             requeue its run and publish it
--   SEND                send its body to its queue again
--   MOVED_ON            close it, because its run has ended, was published again, or never was as the message says
--   SUPERSEDED          close it and end its run, because another run of the account and kind is live that reads all that it would have
--                       read: it was made after this one had died, so it begins at a watermark that this one has not moved
--   WAITS_FOR_RUN       leave it: another run of the account and kind is live that reads less
--   WAITS_FOR_ACCOUNT   leave it: the account or its seller takes no runs now, or operators hold its runs
--   WAITS_FOR_EARLIER   leave it: an earlier one of the account was redriven and is not published yet
--   DISCARD_ONLY        leave it: nobody can read it
-- A null filter chooses all.
create function dead_letter_prospects(of_source text, of_seller uuid, of_account uuid, of_kind text, of_reason text, since timestamptz,
  before timestamptz, ids uuid[])
returns table (id uuid, prospect text, queue text, account_id uuid, sent_at timestamptz)
language sql stable
begin atomic
  select d.id,
    case
      when d.form = 'UNREADABLE' then 'DISCARD_ONLY'
      when d.form = 'JOB' and (r.state = 'DEAD_LETTERED' and r.step = d.step and r.generation = d.generation) is not true then 'MOVED_ON'
      when d.form = 'JOB' and (s.suspended_at is null and s.closing_step is null and takes_runs(a.status, a.lane_queue_url, d.kind)
        and not is_held(a.held_at, a.marketplace_code)) is not true
        then 'WAITS_FOR_ACCOUNT'
      when d.account_id is not null and exists (
        select from dead_letters u
        where u.account_id = d.account_id and u.queue = d.queue and u.state = 'REDRIVEN' and u.published_at is null)
        then 'WAITS_FOR_EARLIER'
      when d.form <> 'JOB' then 'SEND'
      when live.id is null then 'PUBLISH'
      when r.window_from is null and live.window_from is null and (live.full_read or not r.full_read) then 'SUPERSEDED'
      else 'WAITS_FOR_RUN'
    end,
    d.queue, d.account_id, d.sent_at
  from dead_letters d
  left join sync_runs r on r.seller_id = d.seller_id and r.id = d.run_id and r.account_id = d.account_id
  left join marketplace_accounts a on a.seller_id = d.seller_id and a.id = d.account_id
  left join sellers s on s.seller_id = d.seller_id
  left join sync_runs live on live.seller_id = r.seller_id and live.account_id = r.account_id and live.kind = r.kind
    and r.trigger <> 'FILE' and live.trigger <> 'FILE' and live.state in ('QUEUED', 'RUNNING', 'WAITING')
  where d.state = 'OPEN' and (of_source is null or d.source = of_source) and (of_seller is null or d.seller_id = of_seller)
    and (of_account is null or d.account_id = of_account) and (of_kind is null or d.kind = of_kind)
    and (of_reason is null or d.reason = of_reason) and (since is null or d.sent_at >= since) and (before is null or d.sent_at < before)
    and (ids is null or d.id = any (ids));
end;
grant execute on function is_held(timestamptz, text), takes_runs(text, text, text), dead_letter_prospects(text, uuid, uuid, text, text, timestamptz, timestamptz, uuid[]) to robnu_system_redrive;
grant execute on function enter_system(text), set_scope(text, text, text, text, text, text) to robnu_redrive;

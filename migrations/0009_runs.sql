-- The run ledger. The row is the truth and the queue's message only announces it, so any message may be lost or repeated.
set local role robnu_owner;
set local search_path = robnu;

create table sync_runs (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  marketplace_code text not null references marketplaces (code),
  kind text not null references run_kinds (code),
  trigger text not null check (trigger in ('SCHEDULE', 'API', 'FILE')),
  -- The run reads everything that the marketplace still shows, not only what changed since the watermark.
  full_read boolean not null default false,
  -- The run reads what was placed in a window of time, both ends included, instead of what has changed. It leaves watermarks alone.
  window_from timestamptz,
  window_until timestamptz,
  state text not null default 'QUEUED'
    -- DEAD_LETTERED: the message of the run's present step died in its queue (0027_dead_letters.sql). Nobody works on such a run, so it
    -- is not live: it neither holds back the schedule's next run nor a member's request, and no sweep publishes it. It stays as it is, for
    -- everybody to see, until an operator redrives it (QUEUED again, in a new generation) or gives it up (FAILED). It cannot be
    -- cancelled, but ends with its account or seller as live runs do.
    check (state in ('QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD_LETTERED')),
  -- A run proceeds in steps. Each step has its own message, and each publication of the same step has a new generation.
  step integer not null default 0,
  generation integer not null default 0,
  -- Only the holder of the latest attempt may write, while its lease lives. The attempt number is the fencing token.
  attempt integer not null default 0,
  lease_expires_at timestamptz,
  -- Attempts since a page was last committed; and those of them that were told to wait: by the marketplace's limit, our own pace, or an
  -- earlier file. The others bound a run that crashes or fails over and over.
  fruitless_attempts integer not null default 0,
  deferred_attempts integer not null default 0,
  page_position text,
  changed_since timestamptz,
  complete_until timestamptz,
  queued_at timestamptz not null default now(),
  sent_at timestamptz,
  next_attempt_at timestamptz,
  -- Since when the step waits for its turn: its message came while another run of the account was at work that must not overlap with
  -- it. Whoever ends work on the account publishes the run that has waited longest. Null when the step is not kept back.
  turn_since timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  pages integer not null default 0,
  quarantined integer not null default 0,
  error_code text,
  error_message text,
  -- The trace of the request that asked for the run. Other runs have none; their trace is their own id.
  trace_id uuid,
  primary key (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check ((window_from is null) = (window_until is null)),
  check (window_from < window_until),
  -- Members ask for FILE_IMPORT to have rows of files read again that were set aside; such a run has no file of its own.
  check (trigger <> 'FILE' or kind = 'FILE_IMPORT')
);
-- One live run per account and kind: a second request returns the first run. Each file that is imported has a run of its own.
create unique index sync_runs_one_live on sync_runs (seller_id, account_id, kind)
  where state in ('QUEUED', 'RUNNING', 'WAITING') and trigger <> 'FILE';
-- When an account last read a kind to the end. Lists of accounts show this for each account, whatever failed since.
create index sync_runs_succeeded on sync_runs (seller_id, account_id, kind, id desc) where state = 'SUCCEEDED' and window_from is null;
-- What an account lacked a permission for: lists of accounts ask for each kind whether that is news since it was last read.
create index sync_runs_not_permitted on sync_runs (seller_id, account_id, kind, id desc) where error_code = 'not_permitted';
-- Operators search for the runs of a trace.
create index sync_runs_by_trace on sync_runs (trace_id) where trace_id is not null;
create index sync_runs_by_account on sync_runs (seller_id, account_id, id desc);
-- The sweep looks for live runs across sellers, of each marketplace on its own: after an outage very many are queued and unsent.
create index sync_runs_unsent on sync_runs (marketplace_code, queued_at) where state = 'QUEUED' and sent_at is null;
create index sync_runs_being_sent on sync_runs (marketplace_code, next_attempt_at) where state = 'QUEUED' and sent_at is null;
create index sync_runs_sent on sync_runs (marketplace_code, sent_at) where state = 'QUEUED' and sent_at is not null;
create index sync_runs_waiting on sync_runs (marketplace_code, next_attempt_at) where state = 'WAITING';
create index sync_runs_running on sync_runs (marketplace_code, lease_expires_at) where state = 'RUNNING';
-- The runs of an account that wait for their turn: hardly any at any time.
create index sync_runs_in_turn on sync_runs (seller_id, account_id, turn_since, id)
  where turn_since is not null and state in ('QUEUED', 'WAITING');
create index sync_runs_by_id on sync_runs (id) where state in ('QUEUED', 'RUNNING', 'WAITING');
call protect_tenant_table('sync_runs');
call require_right_to_read('sync_runs', 'read', 'ingest');
-- A job makes the run of a file that has arrived.
create policy insert_needs_right on sync_runs as restrictive for insert to robnu_tenant
  with check (case trigger when 'FILE' then (select app_may('ingest')) else (select app_may('sync.run')) end);
-- Members may ask for 200 runs of an account within 24 hours, because each stays as a row for ever, even when it is cancelled. The
-- index is read back to the start of the day; schedules add at most one run a minute to it. SECURITY DEFINER because it counts what
-- its caller need not see.
create function limit_asked_runs() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  -- Row security will refuse this row after the trigger, so nothing is read for it.
  if not (app_may('sync.run') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  if (
    select count(*) from (
      select from sync_runs r
      where r.seller_id = new.seller_id and r.account_id = new.account_id and r.id > (select uuidv7(interval '-1 day'))
        and r.trigger = 'API'
      limit 200
    ) today) >= 200
  then
    raise exception 'too many runs of the account were asked for today' using errcode = 'RB012';
  end if;
  return new;
end $$;
create trigger limit_asked_runs before insert on sync_runs for each row when (new.trigger = 'API')
  execute function limit_asked_runs();
-- The trail records runs that a member asks for; the ledger itself records those of schedules.
create trigger audit after insert on sync_runs for each row when (new.trigger = 'API')
  execute function audit_row('run', 'id', 'account_id', 'kind', 'full_read', 'window_from', 'window_until');
create trigger audit_cancel after update of state on sync_runs for each row when (new.state = 'CANCELLED')
  execute function audit_row('run', 'id', 'account_id', 'kind', 'state');
create trigger audit_dead_letter after update of state on sync_runs for each row
  when (new.state = 'DEAD_LETTERED' or (old.state = 'DEAD_LETTERED' and new.state <> 'CANCELLED'))
  execute function audit_row('run', 'id', 'account_id', 'kind', 'state');
create policy update_needs_right on sync_runs as restrictive for update to robnu_tenant
  using ((select app_may('sync.run')) or (select app_may('ingest')))
  with check ((select app_may('sync.run')) or (select app_may('ingest')));
grant select,
  insert (seller_id, id, account_id, marketplace_code, kind, trigger, full_read, window_from, window_until, trace_id, next_attempt_at),
  update (state, step, generation, attempt, lease_expires_at, fruitless_attempts, deferred_attempts, page_position, changed_since,
    complete_until, queued_at, sent_at, next_attempt_at, turn_since, started_at, finished_at, pages, quarantined, error_code, error_message)
  on sync_runs to robnu_tenant;

-- Sweeps and lanes see ids, states and times, and may publish. They do not see what a run read or why it failed.
create policy sweep on sync_runs for all to robnu_system_sweep using (true) with check (true);
grant select (seller_id, id, account_id, marketplace_code, kind, trigger, state, step, generation, lease_expires_at, queued_at, sent_at,
    next_attempt_at),
  insert (seller_id, id, account_id, marketplace_code, kind, trigger),
  update (state, generation, sent_at, next_attempt_at)
  on sync_runs to robnu_system_sweep;
create policy lanes on sync_runs for all to robnu_system_lanes using (true) with check (true);
grant select (seller_id, id, account_id, marketplace_code, kind, state, step, generation, sent_at), update (sent_at, generation)
  on sync_runs to robnu_system_lanes;

-- The sellers of a marketplace's runs that are under way, once for each run: those that are leased, were sent less than two minutes ago, or
-- are being sent. A message that waits longer in its lane waits behind another run, and only one of a lane works at a time.
create function runs_under_way(marketplace text) returns table (seller_id uuid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.seller_id from robnu.sync_runs r where r.marketplace_code = marketplace and r.state = 'RUNNING' and r.lease_expires_at > now()
  union all
  select r.seller_id from robnu.sync_runs r
  where r.marketplace_code = marketplace and r.state = 'QUEUED' and r.sent_at > now() - interval '2 minutes'
  union all
  select r.seller_id from robnu.sync_runs r
  where r.marketplace_code = marketplace and r.state = 'QUEUED' and r.sent_at is null and r.next_attempt_at > now()
$$;
grant execute on function runs_under_way(text) to robnu_system_sweep;
-- How many more runs of a marketplace may be published. SECURITY DEFINER because it counts the runs of all sellers.
create function room_of(marketplace text) returns bigint
language sql stable security definer
set search_path = robnu, pg_temp
as $$
  select greatest(m.runs_at_once - (select count(*) from runs_under_way(m.code)), 0)
  from marketplaces m where m.code = marketplace
$$;
grant execute on function room_of(text) to robnu_system_sweep;
-- Whether one more may be published. How many runs other sellers have is nobody's business, so a seller's scope learns no number.
create function has_room(marketplace text) returns boolean
language sql stable security definer
set search_path = robnu, pg_temp
as $$ select room_of(marketplace) > 0 $$;
grant execute on function has_room(text) to robnu_tenant;

-- Ends the live and dead-lettered runs of a lane that is retired because the account's credentials have been refused for a week. SECURITY
-- DEFINER because the lanes function must not write the outcome of runs.
create function end_runs_of_retired_lane() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  update sync_runs
  set state = 'FAILED', finished_at = now(), lease_expires_at = null, next_attempt_at = null, error_code = 'credentials_refused',
    error_message = 'the marketplace has refused the credentials for a week; connect the account again'
  where seller_id = new.seller_id and account_id = new.id and state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')
    and kind <> 'FILE_IMPORT';
  return null;
end $$;
create trigger end_runs_of_retired_lane after update of lane_state on marketplace_accounts for each row
  when (new.lane_state = 'RETIRED' and old.lane_state <> 'RETIRED' and new.status = 'NEEDS_RECONNECT')
  execute function end_runs_of_retired_lane();

-- The quarantine: records that could not be mapped, kept whole under the seller's data key. The same record read again is the
-- same row.
create table quarantined_records (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  run_id uuid not null,
  external_id text,
  reason text not null,
  record_enc bytea not null,
  -- Keyed with the seller's data key, so that nobody can tell that two sellers have the same record.
  record_digest bytea not null,
  -- How often the record was read; run_id is the last run that read it.
  seen integer not null default 1,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  -- Since when a member wants it to be read again; the next slice of a run of its kind takes it up.
  retry_requested_at timestamptz,
  primary key (seller_id, id),
  unique (seller_id, account_id, record_digest),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, run_id) references sync_runs (seller_id, id)
);
create index quarantined_records_by_run on quarantined_records (seller_id, run_id);
-- NULLS LAST, although there are no nulls: a list of one account's records asks for that order, which no other index has.
create index quarantined_records_by_account on quarantined_records (seller_id, account_id, id desc nulls last);
-- By the order's number, which people look for.
create index quarantined_records_by_external_id on quarantined_records (seller_id, external_id text_pattern_ops);
create index quarantined_records_by_age on quarantined_records (last_seen_at);
-- There are few at any time, and every lease asks for its account's.
create index quarantined_records_to_retry on quarantined_records (seller_id, account_id) where retry_requested_at is not null;
call protect_tenant_table('quarantined_records');
call require_right_to_read('quarantined_records', 'read', 'ingest');
call require_right_to_write('quarantined_records', 'ingest', 'insert', 'update');
-- The digest is readable because a conflict is looked up by it.
grant select (seller_id, id, account_id, run_id, external_id, reason, record_digest, seen, created_at, last_seen_at, retry_requested_at),
  insert (seller_id, id, account_id, run_id, external_id, reason, record_enc, record_digest),
  update (run_id, seen, last_seen_at)
  on quarantined_records to robnu_tenant;

-- Marks records to be read again: one record, or all of an account and kind. It returns how many. It marks nothing without a live
-- run, and nothing for an account that takes no runs. SECURITY DEFINER because members may not write records otherwise.
create function retry_quarantined(account uuid, of_kind text, record uuid) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  marked integer;
begin
  if not app_may('sync.run') then
    raise exception 'asking for runs is not permitted' using errcode = 'insufficient_privilege';
  end if;
  update quarantined_records q set retry_requested_at = now()
  from sync_runs r
  where q.seller_id = app_current_seller_id() and q.account_id = account and (record is null or q.id = record)
    and r.seller_id = q.seller_id and r.id = q.run_id and r.kind = of_kind
    and exists (
      select from sync_runs live
      join marketplace_accounts a on a.seller_id = live.seller_id and a.id = live.account_id
        and (a.status = 'ACTIVE' or (a.status = 'NEEDS_RECONNECT' and of_kind = 'FILE_IMPORT'))
      where live.seller_id = q.seller_id and live.account_id = account and live.kind = of_kind
        and live.state in ('QUEUED', 'RUNNING', 'WAITING'));
  get diagnostics marked = row_count;
  return marked;
end $$;

-- Hands out marked records, a limited number, and removes their marks. So a record that crashes its reader is not handed out twice;
-- it stays quarantined. SECURITY DEFINER because nobody else may read what is inside a record.
create function take_quarantined(account uuid, of_kind text, at_most integer) returns table (id uuid, record_enc bytea)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('ingest') then
    raise exception 'only jobs read what was set aside' using errcode = 'insufficient_privilege';
  end if;
  return query
    update quarantined_records q set retry_requested_at = null
    where q.seller_id = app_current_seller_id() and q.id in (
      select w.id
      from quarantined_records w
      join sync_runs r on r.seller_id = w.seller_id and r.id = w.run_id and r.kind = of_kind
      where w.seller_id = app_current_seller_id() and w.account_id = account and w.retry_requested_at is not null
      order by w.id
      limit at_most)
    returning q.id, q.record_enc;
end $$;

-- Deletes the records that were stored, which have no reason here, and updates the reason of the others. SECURITY DEFINER because
-- nobody else may delete records.
create function settle_quarantined(account uuid, records uuid[], reasons text[]) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('ingest') then
    raise exception 'only jobs settle what was set aside' using errcode = 'insufficient_privilege';
  end if;
  delete from quarantined_records q
  using unnest(records, reasons) as settled (id, reason)
  where q.seller_id = app_current_seller_id() and q.account_id = account and q.id = settled.id and settled.reason is null;
  update quarantined_records q set reason = settled.reason
  from unnest(records, reasons) as settled (id, reason)
  where q.seller_id = app_current_seller_id() and q.account_id = account and q.id = settled.id and q.reason <> settled.reason;
end $$;
grant execute on function retry_quarantined(uuid, text, uuid), take_quarantined(uuid, text, integer), settle_quarantined(uuid, uuid[], text[])
  to robnu_tenant;

-- What a run did to the rows of each stream that it wrote, such as ORDERS and ORDER_LINES. A kind of run to come brings its own
-- streams and changes no table.
create table sync_run_counts (
  seller_id uuid not null,
  run_id uuid not null,
  stream text not null check (stream ~ '^[A-Z][A-Z_]{1,31}$'),
  added integer not null check (added >= 0),
  changed integer not null check (changed >= 0),
  unchanged integer not null check (unchanged >= 0),
  removed integer not null check (removed >= 0),
  primary key (seller_id, run_id, stream),
  foreign key (seller_id, run_id) references sync_runs (seller_id, id)
);
call protect_tenant_table('sync_run_counts');
call require_right_to_read('sync_run_counts', 'read', 'ingest');
call require_right_to_write('sync_run_counts', 'ingest', 'insert', 'update');
grant select, insert (seller_id, run_id, stream, added, changed, unchanged, removed), update (added, changed, unchanged, removed)
  on sync_run_counts to robnu_tenant;

-- Watermarks: up to which instant the marketplace vouches that everything of a kind was read.
create table watermarks (
  seller_id uuid not null,
  account_id uuid not null,
  kind text not null references run_kinds (code),
  complete_until timestamptz not null,
  -- When a run last read two days back as well, to find records that were listed later than their own stamp says.
  looked_back_at timestamptz not null default now(),
  primary key (seller_id, account_id, kind),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
call protect_tenant_table('watermarks');
call require_right_to_read('watermarks', 'read', 'ingest');
call require_right_to_write('watermarks', 'ingest', 'insert', 'update');
grant select, insert (seller_id, account_id, kind, complete_until), update (complete_until, looked_back_at) on watermarks to robnu_tenant;

-- Rate limits as token buckets: the calls that marketplaces allow, one of each account and operation. Only jobs use them.
create table call_buckets (
  seller_id uuid not null,
  account_id uuid not null,
  -- As the marketplace names it.
  operation text not null check (operation ~ '^[A-Za-z]{1,40}$'),
  -- When the bucket is full again if nobody calls until then. Every call moves it by the time in which one call is refilled.
  full_at timestamptz not null,
  primary key (seller_id, account_id, operation),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
call protect_tenant_table('call_buckets');
call require_right_to_read('call_buckets', 'ingest', 'ingest');
call require_right_to_write('call_buckets', 'ingest', 'insert', 'update');
grant select, insert (seller_id, account_id, operation, full_at), update (full_at) on call_buckets to robnu_tenant;

-- Commits a page's progress in the page's own transaction; raising RB004 rolls the page back when another attempt has
-- taken the run over. "counts" is a list of objects with the columns of sync_run_counts.
create function advance_run(run uuid, at_step integer, by_attempt integer, lease_seconds double precision, next_position text,
  vouched_until timestamptz, reads_since timestamptz, quarantined_now integer, counts jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update robnu.sync_runs
  set page_position = next_position, complete_until = coalesce(vouched_until, complete_until), changed_since = reads_since,
    lease_expires_at = now() + make_interval(secs => lease_seconds), fruitless_attempts = 0, deferred_attempts = 0, pages = pages + 1,
    quarantined = quarantined + quarantined_now
  where id = run and step = at_step and attempt = by_attempt and state = 'RUNNING';
  if not found then
    raise exception 'another attempt has taken the run over' using errcode = 'RB004';
  end if;
  insert into robnu.sync_run_counts as known (seller_id, run_id, stream, added, changed, unchanged, removed)
  select robnu.app_current_seller_id(), run, c.stream, c.added, c.changed, c.unchanged, c.removed
  from jsonb_to_recordset(counts) as c (stream text, added integer, changed integer, unchanged integer, removed integer)
  on conflict (seller_id, run_id, stream) do update
  set added = known.added + excluded.added, changed = known.changed + excluded.changed,
    unchanged = known.unchanged + excluded.unchanged, removed = known.removed + excluded.removed;
end $$;
grant execute on function advance_run(uuid, integer, integer, double precision, text, timestamptz, timestamptz, integer, jsonb)
  to robnu_tenant;

-- What operators see beside dead letters: what is stuck, runs and lanes; holding the runs of an account or a marketplace; and moving an
-- account to the other kind of lane. The redrive function does it for them (functions/redrive).
set local role robnu_owner;
set local search_path = robnu;

-- Ids, states, times, codes and numbers only: no customer, no name, no message and no secret.
grant select (trace_id, attempt, started_at, finished_at, pages, quarantined, error_code) on sync_runs to robnu_system_redrive;
grant select on run_kinds to robnu_system_redrive;
grant select (verified_at, refused_since, status_since, lane_state, lane_checked_at, lane_kind, lane_kind_since, lane_shared)
  on marketplace_accounts to robnu_system_redrive;
create policy redrive on sync_run_counts for select to robnu_system_redrive using (true);
grant select (seller_id, run_id, stream, added, changed, unchanged, removed) on sync_run_counts to robnu_system_redrive;
create policy redrive on schedules for select to robnu_system_redrive using (true);
grant select (seller_id, id, account_id, kind, enabled, next_due_at) on schedules to robnu_system_redrive;
create policy redrive on imports for select to robnu_system_redrive using (true);
grant select (seller_id, id, account_id, run_id) on imports to robnu_system_redrive;
create policy redrive on exports for select to robnu_system_redrive using (true);
grant select (seller_id, id, list, state, lease_expires_at, fruitless_attempts, queued_at, started_at) on exports to robnu_system_redrive;

-- What is stuck is looked for across sellers. Of live runs, due schedules, open dead letters, lanes that differ, exports with work and
-- imports without a run there are indexes already.
create index marketplace_accounts_stopped on marketplace_accounts (status_since) where status in ('PAUSED', 'NEEDS_RECONNECT');
create index sellers_suspended on sellers (suspended_at) where suspended_at is not null;
-- Runs of all sellers, newest first. Every run has such a step: the condition keeps the index from lists of one seller's runs, which
-- would read other sellers' entries in it.
create index sync_runs_newest on sync_runs (id desc) where step >= 0;
-- What became of a run's messages.
create index dead_letters_by_run on dead_letters (run_id);

-- ---- Holds, limits and moves ----

-- Who held or let go what, changed a marketplace's limit or moved an account to the other kind of lane, and why. The row of the account or the marketplace says how it is now.
create table hold_actions (
  id uuid primary key default uuidv7(),
  action text not null check (action in ('HOLD', 'RESUME', 'LIMIT', 'MOVE')),
  operator text not null,
  reason text not null,
  -- One account, or with null all of the marketplace.
  marketplace_code text not null references marketplaces (code),
  seller_id uuid,
  account_id uuid,
  runs_at_once integer,
  lane_kind text check (lane_kind in ('DEDICATED', 'SHARED')),
  acted_at timestamptz not null default now(),
  check ((seller_id is null) = (account_id is null)),
  check ((action = 'LIMIT') = (runs_at_once is not null)),
  check ((action = 'MOVE') = (lane_kind is not null)),
  check (action <> 'MOVE' or account_id is not null)
);
create index hold_actions_by_marketplace on hold_actions (marketplace_code);
alter table hold_actions enable row level security;
alter table hold_actions force row level security;
create policy owner on hold_actions for all to robnu_owner using (true) with check (true);
create policy redrive on hold_actions for all to robnu_system_redrive using (true) with check (true);
grant select, insert (action, operator, reason, marketplace_code, seller_id, account_id, runs_at_once, lane_kind) on hold_actions to robnu_system_redrive;

create policy redrive_holds on marketplace_accounts for update to robnu_system_redrive using (true) with check (true);
grant update (held_at, hold_reason, lane_kind, lane_kind_since) on marketplace_accounts to robnu_system_redrive;
grant select (runs_at_once), update (held_at, hold_reason, runs_at_once) on marketplaces to robnu_system_redrive;
grant execute on function room_of(text) to robnu_system_redrive;
-- What is let go is due again at once.
create policy redrive_due on schedules for update to robnu_system_redrive using (true) with check (true);
grant select (every_minutes, last_claimed_at), update (next_due_at) on schedules to robnu_system_redrive;
create index marketplace_accounts_held on marketplace_accounts (held_at) where held_at is not null;

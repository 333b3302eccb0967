-- What operators see beside dead letters: what is stuck, runs and lanes. The redrive function reads it for them (functions/redrive).
set local role robnu_owner;
set local search_path = robnu;

-- Ids, states, times, codes and numbers only: no customer, no name, no message and no secret.
grant select (attempt, started_at, finished_at, pages, quarantined, error_code) on sync_runs to robnu_system_redrive;
grant select (verified_at, refused_since, status_since, lane_state, lane_checked_at) on marketplace_accounts to robnu_system_redrive;
create policy redrive on sync_run_counts for select to robnu_system_redrive using (true);
grant select (seller_id, run_id, added, changed, unchanged, removed) on sync_run_counts to robnu_system_redrive;
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
-- Runs of all sellers, newest first.
create index sync_runs_newest on sync_runs (id desc);

-- Runs that read a window of time instead of what has changed.
set local role robnu_owner;
set local search_path = robnu;

alter table sync_runs
  -- From and until when what is read was placed, both included; such a run leaves the account's watermark alone.
  add column window_from timestamptz,
  add column window_until timestamptz,
  add check ((window_from is null) = (window_until is null)),
  add check (window_from < window_until),
  add check (window_from is null or kind = 'ORDERS');
grant insert (window_from, window_until) on sync_runs to robnu_tenant;
-- When an account's orders were last read: lists of accounts ask for each, whatever failed since.
create index sync_runs_succeeded on sync_runs (seller_id, account_id, id desc)
  where kind = 'ORDERS' and state = 'SUCCEEDED' and window_from is null;

drop trigger audit on sync_runs;
create trigger audit after insert on sync_runs for each row when (new.trigger = 'API')
  execute function audit_row('run', 'id', 'account_id', 'kind', 'full_read', 'window_from', 'window_until');

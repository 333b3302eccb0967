-- One run. $1 run
select id, account_id, kind, trigger, window_from, window_until, state, step, attempt, pages, orders_new, orders_changed, orders_unchanged,
  lines_new, lines_changed, lines_removed, quarantined, error_code, error_message, queued_at, started_at, finished_at
from robnu.sync_runs
where id = $1

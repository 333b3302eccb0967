-- The seller's runs before a run, newest first. $1 run id, $2 how many
select id, account_id, kind, trigger, window_from, window_until, state, step, attempt, pages, orders_new, orders_changed, orders_unchanged,
  lines_new, lines_changed, lines_removed, quarantined, error_code, error_message, queued_at, started_at, finished_at
from robnu.sync_runs
where id < $1
order by id desc
limit $2

-- The run of a dead letter, or the newest one that was asked for in a trace. $1 the dead letter or the trace
select id from (
  select run_id as id, 0 as place from robnu.dead_letters where id = $1 and run_id is not null
  union all
  (select id, 1 from robnu.sync_runs where trace_id = $1 order by id desc limit 1)
) run
order by place limit 1

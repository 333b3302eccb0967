-- The newest run that was asked for in a trace. $1 the trace
select id from robnu.sync_runs where trace_id = $1 order by id desc limit 1

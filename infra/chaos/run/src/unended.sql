-- Runs that are not over, by kind and state, and imports without a run.
select r.kind || ' runs that are ' || r.state || ': ' || count(*) || ', such as ' || min(r.id::text)
from robnu.sync_runs r
where r.state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')
group by r.kind, r.state
union all
select 'imports without a run: ' || count(*) from robnu.imports where run_id is null having count(*) > 0

-- Runs that are not over, by kind and state, imports without a run, exports that are not over, and accounts that are not where they were moved.
select r.kind || ' runs that are ' || r.state || ': ' || count(*) || ', such as ' || min(r.id::text)
from robnu.sync_runs r
where r.state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')
group by r.kind, r.state
union all
select 'imports without a run: ' || count(*) from robnu.imports where run_id is null having count(*) > 0
union all
select 'exports that are ' || state || ': ' || count(*) from robnu.exports where state in ('QUEUED', 'RUNNING') group by state
union all
select 'accounts that still move: ' || count(*) || ', such as ' || min(external_account_id) from robnu.marketplace_accounts
where lane_kind_since is not null and (lane_state <> 'ACTIVE' or (lane_kind = 'SHARED') <> lane_shared) having count(*) > 0

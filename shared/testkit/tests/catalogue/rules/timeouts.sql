-- Each login role has its time-outs, and a search path on which temporary objects come last.
select l.name || ' has no ' || setting
from login_roles l cross join unnest(array['statement_timeout', 'lock_timeout', 'transaction_timeout',
  'idle_in_transaction_session_timeout', 'search_path']) as setting
where not exists (
  select from pg_roles r cross join unnest(r.rolconfig) as configured
  where r.rolname = l.name and configured like setting || '=%' and configured not in (setting || '=0', setting || '=0s'))
union all
select r.rolname || ' has the search path ' || configured
from pg_roles r join login_roles l on l.name = r.rolname cross join unnest(r.rolconfig) as configured
where configured like 'search_path=%' and configured <> 'search_path=robnu, pg_temp'

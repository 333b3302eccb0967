-- Roles and the schema. Runs as the database's master user (CREATEROLE, not a superuser), as on Aurora.
--
-- robnu_owner          owns every object; nobody logs in as it, only the migrate function may become it
-- robnu_tenant         what a seller-scoped session becomes: sees one seller, through row level security
-- robnu_person         what a session becomes that has a person but no seller yet (me, sign-up)
-- robnu_staff          what a staff member's session becomes: sellers' names and states, and impersonation sessions
-- robnu_system_sweep   finds due work across sellers: ids and times only
-- robnu_system_lanes   keeps the accounts' queues: ids and lane columns only
-- robnu_system_exports finds exports that need a message: ids, states and times only
-- robnu_system_redrive keeps dead letters, and marks and requeues their runs: ids, states and times only
-- robnu_api, …         login roles, one per function: own nothing, inherit nothing, see nothing until they enter a scope
--
-- Roles belong to the cluster, not to the database. Each role and each setting is made only where it is missing, so that
-- several databases of one cluster can be migrated at the same time.
do $$
declare
  name text;
  connections integer;
  login text;
  setting text;
  setting_value text;
begin
  foreach name in array array['robnu_owner', 'robnu_tenant', 'robnu_person', 'robnu_staff', 'robnu_system_sweep',
    'robnu_system_lanes', 'robnu_system_exports', 'robnu_system_redrive'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  -- One connection per running function. The sum, 1,050, stays below what the smallest database we deploy to admits; that of adapters
  -- covers all marketplaces' runs_at_once (0003_tenancy.sql).
  for name, connections in
    values ('robnu_api', 400), ('robnu_adapter', 450), ('robnu_sweep', 50), ('robnu_lanes', 50), ('robnu_exporter', 50), ('robnu_redrive', 50)
  loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I login noinherit connection limit %s', name, connections);
    end if;
  end loop;
  for login, setting, setting_value in
    select logins.role, always.setting, always.value
    from (values ('robnu_api'), ('robnu_adapter'), ('robnu_sweep'), ('robnu_lanes'), ('robnu_exporter'), ('robnu_redrive')) as logins (role)
    cross join (values
      ('search_path', 'robnu, pg_temp'), ('lock_timeout', '5s'), ('idle_in_transaction_session_timeout', '30s')
    ) as always (setting, value)
    union all values
      ('robnu_api', 'statement_timeout', '10s'), ('robnu_api', 'transaction_timeout', '20s'),
      -- Each list is written for one plan, whatever its parameters and however full the table: it reads an index in the list's
      -- own order as far as a page needs. Other plans gather and sort every match where statistics say that there are few.
      ('robnu_api', 'plan_cache_mode', 'force_generic_plan'), ('robnu_api', 'enable_bitmapscan', 'off'),
      ('robnu_api', 'enable_seqscan', 'off'),
      ('robnu_adapter', 'statement_timeout', '30s'), ('robnu_adapter', 'transaction_timeout', '60s'),
      ('robnu_sweep', 'statement_timeout', '30s'), ('robnu_sweep', 'transaction_timeout', '60s'),
      ('robnu_lanes', 'statement_timeout', '10s'), ('robnu_lanes', 'transaction_timeout', '20s'),
      ('robnu_redrive', 'statement_timeout', '10s'), ('robnu_redrive', 'transaction_timeout', '20s'),
      -- Exports read the API's lists, by the same plans.
      ('robnu_exporter', 'statement_timeout', '10s'), ('robnu_exporter', 'transaction_timeout', '20s'),
      ('robnu_exporter', 'plan_cache_mode', 'force_generic_plan'), ('robnu_exporter', 'enable_bitmapscan', 'off'),
      ('robnu_exporter', 'enable_seqscan', 'off')
  loop
    if not exists (select from pg_roles where rolname = login and setting || '=' || setting_value = any (rolconfig)) then
      execute format(case when setting = 'search_path' then 'alter role %I set %I = %s' else 'alter role %I set %I = %L' end,
        login, setting, setting_value);
    end if;
  end loop;
end $$;

grant robnu_owner to current_user with inherit false, set true;
grant robnu_tenant to robnu_api, robnu_adapter, robnu_exporter with inherit false, set true;
grant robnu_person, robnu_staff to robnu_api with inherit false, set true;
grant robnu_system_sweep to robnu_sweep with inherit false, set true;
grant robnu_system_lanes to robnu_lanes with inherit false, set true;
grant robnu_system_exports to robnu_exporter with inherit false, set true;
grant robnu_system_redrive to robnu_redrive with inherit false, set true;

-- PUBLIC may neither connect nor make temporary tables.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  revoke all on schema public from public;
  execute format('grant connect on database %I to robnu_api, robnu_adapter, robnu_sweep, robnu_lanes, robnu_exporter, robnu_redrive', current_database());
end $$;

create schema robnu authorization robnu_owner;

set local role robnu_owner;
grant usage on schema robnu to robnu_tenant, robnu_person, robnu_staff, robnu_system_sweep, robnu_system_lanes,
  robnu_system_exports, robnu_system_redrive, robnu_api, robnu_adapter, robnu_sweep, robnu_lanes, robnu_exporter, robnu_redrive;
-- PostgreSQL lets everybody execute a new function; here each grant is written down.
alter default privileges for role robnu_owner revoke execute on functions from public;

-- Roles and the schema. Runs as the database's master user (CREATEROLE, not a superuser), as on Aurora.
--
-- robnu_owner          owns every object; nobody logs in as it, only the migrate function may become it
-- robnu_tenant         what a seller-scoped session becomes: sees one seller, through row level security
-- robnu_person         what a session becomes that knows a person but no seller yet (me, sign-up)
-- robnu_system_sweep   finds due work across sellers: ids and times only
-- robnu_system_lanes   keeps the accounts' queues: ids and lane columns only
-- robnu_api, …         login roles, one per function: own nothing, inherit nothing, see nothing until they enter a scope
--
-- Roles belong to the cluster, not to the database, so each is created only where it is missing.
do $$
declare
  name text;
begin
  foreach name in array array['robnu_owner', 'robnu_tenant', 'robnu_person', 'robnu_system_sweep', 'robnu_system_lanes'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  foreach name in array array['robnu_api', 'robnu_adapter', 'robnu_sweep', 'robnu_lanes'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I login noinherit connection limit 500', name);
    end if;
    execute format('alter role %I set search_path = robnu, pg_temp', name);
    execute format('alter role %I set lock_timeout = %L', name, '5s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', name, '30s');
  end loop;
end $$;

alter role robnu_api set statement_timeout = '10s';
alter role robnu_api set transaction_timeout = '20s';
alter role robnu_adapter set statement_timeout = '30s';
alter role robnu_adapter set transaction_timeout = '60s';
alter role robnu_sweep set statement_timeout = '30s';
alter role robnu_sweep set transaction_timeout = '60s';
alter role robnu_lanes set statement_timeout = '10s';
alter role robnu_lanes set transaction_timeout = '20s';

grant robnu_owner to current_user with inherit false, set true;
grant robnu_tenant to robnu_api, robnu_adapter with inherit false, set true;
grant robnu_person to robnu_api with inherit false, set true;
grant robnu_system_sweep to robnu_sweep with inherit false, set true;
grant robnu_system_lanes to robnu_lanes with inherit false, set true;

-- Nobody gets in, or makes temporary tables, by being PUBLIC.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to robnu_api, robnu_adapter, robnu_sweep, robnu_lanes', current_database());
end $$;

create schema robnu authorization robnu_owner;

set local role robnu_owner;
grant usage on schema robnu to robnu_tenant, robnu_person, robnu_system_sweep, robnu_system_lanes,
  robnu_api, robnu_adapter, robnu_sweep, robnu_lanes;
-- PostgreSQL lets everybody execute a new function; here each grant is written down.
alter default privileges for role robnu_owner revoke execute on functions from public;

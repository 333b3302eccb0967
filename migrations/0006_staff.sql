-- Staff, and the sessions in which they act for a seller.
set local role robnu_owner;
set local search_path = robnu;

-- Token subjects of the people who operate the deployment. The migrate function keeps them from the stack's parameter StaffSubjects.
create table staff (
  id uuid primary key default uuidv7(),
  subject text not null unique check (length(subject) between 1 and 200),
  created_at timestamptz not null default now(),
  removed_at timestamptz
);
alter table staff enable row level security;
alter table staff force row level security;
create policy self on staff for select to robnu_staff, robnu_tenant, robnu_person using (subject = (select app_current_subject()));
create policy owner on staff for all to robnu_owner using (true) with check (true);
grant select (id, subject, removed_at) on staff to robnu_staff, robnu_tenant, robnu_person;

create table impersonation_sessions (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  staff_id uuid not null references staff (id),
  reason text not null check (length(reason) between 1 and 500),
  -- The session has the rights of a member with this role, except those that enter_impersonation takes away (0014_enter.sql).
  role text not null check (role in ('ADMIN', 'VIEWER')),
  started_at timestamptz not null default now(),
  expires_at timestamptz not null check (expires_at <= started_at + interval '8 hours'),
  ended_at timestamptz,
  primary key (seller_id, id)
);
create index impersonation_sessions_by_admin on impersonation_sessions (staff_id, id desc);
-- Staff list live sessions across sellers.
create index impersonation_sessions_by_id on impersonation_sessions (id);
call protect_tenant_table('impersonation_sessions');
-- The seller sees who acted for it; a staff member sees the session that they act in.
create policy select_needs_right on impersonation_sessions as restrictive for select to robnu_tenant
  using ((select app_may('audit.read')) or id = (select nullif(current_setting('app.impersonation_session', true), '')::uuid));
call audit('impersonation_sessions', 'insert or update', 'impersonation', 'id', 'staff_id', 'reason', 'role', 'expires_at', 'ended_at');
grant select on impersonation_sessions to robnu_tenant;

-- Whether the person of the transaction is a staff member now. Everybody sees only their own row of staff.
create function app_is_staff() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$ select exists (select from robnu.staff where removed_at is null) $$;
grant execute on function app_is_staff() to robnu_staff;

-- Staff see every seller's name and state, may suspend and resume sellers, and open sessions. The policies check that they are
-- staff, as scope entry does, because robnu_api can become robnu_staff without entering a scope. A seller whose closing has begun is
-- gone for staff too, so nobody opens a session for it.
create policy staff on sellers for all to robnu_staff
  using ((select app_is_staff()) and closing_step is null) with check ((select app_is_staff()));
grant select (seller_id, name, suspended_at, suspension_reason, version, created_at), update (suspended_at, suspension_reason, updated_at)
  on sellers to robnu_staff;
-- The sweep leaves suspended sellers alone.
create policy sweep on sellers for select to robnu_system_sweep using (true);
grant select (seller_id, suspended_at) on sellers to robnu_system_sweep;
create policy staff_reads on impersonation_sessions for select to robnu_staff using ((select app_is_staff()));
create policy staff_opens on impersonation_sessions for insert to robnu_staff
  with check ((select app_is_staff()) and staff_id in (select id from staff));
-- A session that has ended stays ended.
create policy staff_ends on impersonation_sessions for update to robnu_staff
  using ((select app_is_staff()) and staff_id in (select id from staff) and ended_at is null)
  with check ((select app_is_staff()) and staff_id in (select id from staff));
grant select (seller_id, id, staff_id, reason, role, started_at, expires_at, ended_at),
  insert (seller_id, id, staff_id, reason, role, expires_at), update (ended_at)
  on impersonation_sessions to robnu_staff;

-- Makes an update that takes rights away wait for transactions that entered with those rights. A transaction that may write holds
-- the row FOR KEY SHARE (0014_enter.sql); a DELETE waits for that, a plain UPDATE does not.
create function wait_for_writers() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_relid = 'robnu.sellers'::regclass then
    perform from robnu.sellers where seller_id = old.seller_id for update;
  else
    execute format('select from %s where seller_id = $1 and id = $2 for update', tg_relid::regclass) using old.seller_id, old.id;
  end if;
  return new;
end $$;
create trigger wait_for_writers before update of suspended_at on sellers for each row
  when (new.suspended_at is distinct from old.suspended_at) execute function wait_for_writers();
create trigger wait_for_writers before update of role, scan_returns on members for each row
  when (row(new.role, new.scan_returns) is distinct from row(old.role, old.scan_returns)) execute function wait_for_writers();
create trigger wait_for_writers before update of ended_at on impersonation_sessions for each row
  when (new.ended_at is distinct from old.ended_at) execute function wait_for_writers();

-- Whether the transaction belongs to a staff member in a live session.
create function app_is_admin_scope() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from robnu.impersonation_sessions s
    join robnu.staff a on a.id = s.staff_id and a.removed_at is null
    where s.seller_id = nullif(current_setting('app.current_seller_id', true), '')::uuid
      and s.id = nullif(current_setting('app.impersonation_session', true), '')::uuid
      and a.subject = nullif(current_setting('app.current_subject', true), '')
      and s.ended_at is null and s.expires_at > now())
$$;
grant execute on function app_is_admin_scope(), app_current_subject(), raise_no_scope(text), app_may(text) to robnu_staff;
grant execute on function app_is_admin_scope() to robnu_tenant;

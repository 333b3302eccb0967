-- Scope entry. Each scope has two functions:
--   enter_…  is the entry function that a login calls: it becomes the scope's role. It runs with the caller's rights, so a login
--            passes only when it may become that role. Its standard SQL body is inlined into the calling statement.
--   admit_…  is called by it first: it looks up whether the scope may be entered, and sets what policies read. SECURITY DEFINER
--            because four tables under the scope's own row level security cost more than the read that follows. Each row is
--            looked up by a primary or unique key that names seller or subject, one table at a time, which is cheapest.
-- A login that may call admit_… may call enter_… too, and learns no more from it: admit_… returns no data, raises the same errors,
-- and leaves the caller in the login's role, which sees no row.
--
-- A transaction that may write locks the rows that let it in (FOR KEY SHARE) until it ends. Suspending the seller, removing the
-- member, taking a role away or ending the session waits for it (wait_for_writers in 0006_staff.sql; DELETE waits by itself). A
-- writer that arrives meanwhile waits in turn and is then refused. A transaction that only reads locks nothing, because a lock
-- would be a write.
--
-- Everything set here ends with the transaction.
set local role robnu_owner;
set local search_path = robnu;

-- Sets everything that policies read, so that no scope keeps a setting of another.
create function set_scope(seller text, subject text, actor_kind text, actor text, impersonation text, rights text) returns text
language sql
return concat(set_config('app.current_seller_id', seller, true), set_config('app.current_subject', subject, true),
  set_config('app.rights', rights, true), set_config('app.actor_kind', actor_kind, true),
  set_config('app.actor_id', actor, true), set_config('app.impersonation_session', impersonation, true));

-- Limits the time of a statement. A reading request reads at most a page of a list and has two seconds; a writing one has the
-- login's ten. A session that has less keeps its own limit.
create function limit_statements(writes boolean) returns text
language sql
return case
  when writes or current_setting('statement_timeout')::interval between interval '1 ms' and interval '2 s' then ''
  else set_config('statement_timeout', '2s', true)
end;

-- Raises RB006 for a caller over a rate limit, with the seconds until it ends.
create function raise_too_many(who text, until timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% sends too many requests', who using errcode = 'RB006', detail = ceil(extract(epoch from until - now()));
end $$;

create function refuse_over_rate(subject text) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  until timestamptz;
begin
  select w.refused_until into until from person_requests w where w.subject = refuse_over_rate.subject and w.refused_until > now();
  if found then
    perform raise_too_many('the person', until);
  end if;
end $$;

-- Returns what the actor of a seller scope may do: the permissions that they hold; only the reading ones while the seller is
-- suspended. Raises insufficient_privilege when the actor lacks what the request needs, and RB005 for a write while the seller is
-- suspended.
create function rights_for(held text, suspended boolean, needs text, writes boolean) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Comparisons with null would let everybody pass.
  if needs is null or writes is null or suspended is null then
    raise exception 'the request does not state what it needs' using errcode = 'insufficient_privilege';
  end if;
  if needs <> '' and needs <> all (string_to_array(held, ',')) then
    raise exception 'the role does not allow this' using errcode = 'insufficient_privilege';
  end if;
  if suspended and writes then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
  if suspended then
    held := (
      select coalesce(string_agg(permission, ','), '') from unnest(string_to_array(held, ',')) as permission
      where permission in ('read', 'audit.read', 'pii.read', 'payouts.read'));
  end if;
  return held;
end $$;

-- is_first says whether this is the first transaction of a request. Only the first can be refused with RB006 for a rate limit, so
-- that a request that has begun can end. count_request (0007_requests.sql) has computed whether a limit is exceeded.

-- Admits a person as a member of a seller, for a request that needs a permission. Raises RB001 without a membership, and RB006
-- when the seller or the person is over a rate limit; the rest of the same round trip then fails as well.
create function admit_member(subject text, seller uuid, needs text, writes boolean, is_first boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  until timestamptz;
  person uuid;
  held text;
  scans boolean;
  suspended boolean;
begin
  -- The same as refuse_over_rate, written out because a call costs as much as its look-up.
  if is_first then
    select w.refused_until into until from person_requests w where w.subject = admit_member.subject and w.refused_until > now();
    if found then
      perform raise_too_many('the person', until);
    end if;
  end if;
  select p.id into person from people p where p.subject = admit_member.subject;
  if writes then
    select app_role_rights(m.role), m.scan_returns into held, scans from members m
      where m.seller_id = seller and m.person_id = person for key share;
  else
    select app_role_rights(m.role), m.scan_returns into held, scans from members m
      where m.seller_id = seller and m.person_id = person;
  end if;
  if not found then
    raise exception 'no membership of this seller' using errcode = 'RB001';
  end if;
  if is_first then
    select c.refused_until into until from request_counts c
      where c.seller_id = seller and c.person_id = person and c.refused_until > now();
    if found then
      perform raise_too_many('the seller', until);
    end if;
  end if;
  if scans then
    held := concat_ws(',', held, 'returns.scan');
  end if;
  -- Read after the member's row, so that a suspension that committed while that row was waited for is seen.
  if writes then
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller for key share;
  else
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller;
  end if;
  -- Called only where it can change something, because a call costs as much as a look-up.
  if suspended or needs is null or writes is null or needs <> '' and needs <> all (string_to_array(held, ',')) then
    held := rights_for(held, suspended, needs, writes);
  end if;
  return concat(set_scope(seller::text, subject, 'MEMBER', person::text, '', held), limit_statements(writes));
end $$;
create function enter_member(subject text, seller uuid, needs text, writes boolean, is_first boolean default true) returns text
language sql
return concat(robnu.admit_member(subject, seller, needs, writes, is_first), set_config('role', 'robnu_tenant', true));

-- Admits a job for an account. Raises RB002 when the account does not belong to the named seller, and RB005 while the seller is
-- suspended and once its closing has begun.
create function admit_job(seller uuid, account uuid, writes boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  suspended boolean;
begin
  if writes is null then
    raise exception 'the job does not state whether it writes' using errcode = 'insufficient_privilege';
  end if;
  perform from marketplace_accounts a where a.seller_id = seller and a.id = account;
  if not found then
    raise exception 'the account does not belong to the seller' using errcode = 'RB002';
  end if;
  if writes then
    select s.suspended_at is not null or s.closing_step is not null into suspended from sellers s where s.seller_id = seller for key share;
  else
    select s.suspended_at is not null or s.closing_step is not null into suspended from sellers s where s.seller_id = seller;
  end if;
  if suspended then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
  return set_scope(seller::text, '', 'JOB', account::text, '', 'ingest');
end $$;
create function enter_job(seller uuid, account uuid, writes boolean default true) returns text
language sql
return concat(robnu.admit_job(seller, account, writes), set_config('role', 'robnu_tenant', true));

-- Admits a staff member in a live impersonation session of the seller, with the rights of the session's role except three: reading
-- customers' data, managing the team, because a member whom they made would outlast the session, and exports, which would too. Raises RB009 without such a
-- session.
create function admit_impersonation(subject text, session uuid, seller uuid, needs text, writes boolean, is_first boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  admin uuid;
  held text;
  suspended boolean;
begin
  perform refuse_over_rate(subject) where is_first;
  if writes then
    perform from impersonation_sessions i where i.seller_id = seller and i.id = session for key share;
    perform from sellers s where s.seller_id = seller for key share;
  end if;
  select i.staff_id, app_role_rights(i.role), s.suspended_at is not null into admin, held, suspended
    from impersonation_sessions i
    join staff a on a.id = i.staff_id and a.removed_at is null
    join sellers s on s.seller_id = i.seller_id
    where i.seller_id = seller and i.id = session and a.subject = admit_impersonation.subject
      and i.ended_at is null and i.expires_at > now();
  if not found then
    raise exception 'no live impersonation session of this seller' using errcode = 'RB009';
  end if;
  held := (
    select string_agg(permission, ',') from unnest(string_to_array(held, ',')) as permission
    where permission not in ('pii.read', 'members.manage', 'exports.create'));
  return concat(set_scope(seller::text, subject, 'STAFF', admin::text, session::text, rights_for(held, suspended, needs, writes)),
    limit_statements(writes));
end $$;
create function enter_impersonation(subject text, session uuid, seller uuid, needs text, writes boolean, is_first boolean default true)
returns text
language sql
return concat(robnu.admit_impersonation(subject, session, seller, needs, writes, is_first), set_config('role', 'robnu_tenant', true));

-- Admits a staff member without a seller. Raises RB010 for anyone who is not staff.
create function admit_staff(subject text, is_first boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  admin uuid;
begin
  perform refuse_over_rate(subject) where is_first;
  select a.id into admin from staff a where a.subject = admit_staff.subject and a.removed_at is null;
  if not found then
    raise exception 'not staff' using errcode = 'RB010';
  end if;
  return set_scope('', subject, 'STAFF', admin::text, '', '');
end $$;
create function enter_staff(subject text, is_first boolean default true) returns text
language sql
return concat(robnu.admit_staff(subject, is_first), set_config('role', 'robnu_staff', true));

-- Admits a person without a seller. Raises RB006 over the rate limit, as the others do.
create function admit_person(subject text, is_first boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if subject is null or subject = '' then
    raise exception 'no person was named' using errcode = 'RB003';
  end if;
  perform refuse_over_rate(subject) where is_first;
  return set_scope('', subject, 'PERSON', '', '', '');
end $$;
create function enter_person(subject text, is_first boolean default true) returns text
language sql
return concat(robnu.admit_person(subject, is_first), set_config('role', 'robnu_person', true));

-- Enters the platform's own work across sellers; the column grants of the role bound it.
create function enter_system(system_role text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if system_role is null or system_role not in ('robnu_system_sweep', 'robnu_system_lanes', 'robnu_system_retention',
    'robnu_system_closing', 'robnu_system_exports', 'robnu_system_redrive')
  then
    raise exception 'not a system scope' using errcode = 'RB003';
  end if;
  perform robnu.set_scope('', '', 'SYSTEM', '', '', ''), set_config('role', system_role, true);
end $$;

grant execute on function admit_member(text, uuid, text, boolean, boolean), enter_member(text, uuid, text, boolean, boolean),
  admit_impersonation(text, uuid, uuid, text, boolean, boolean), enter_impersonation(text, uuid, uuid, text, boolean, boolean),
  admit_staff(text, boolean), enter_staff(text, boolean), admit_person(text, boolean), enter_person(text, boolean) to robnu_api;
grant execute on function admit_job(uuid, uuid, boolean), enter_job(uuid, uuid, boolean) to robnu_adapter;
grant execute on function enter_system(text) to robnu_sweep, robnu_lanes;
grant execute on function set_scope(text, text, text, text, text, text) to robnu_sweep, robnu_lanes;

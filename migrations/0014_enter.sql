-- Entering a scope. For each there are two functions:
--   enter_…  what a login calls: becomes the scope's role. It runs with the caller's rights, so a login passes only where it may
--            become that role. A standard SQL body, which the planner writes out in the statement that calls it.
--   admit_…  what that asks first: looks up whether the scope may be entered, and sets what policies look at. SECURITY DEFINER
--            because four tables under the scope's own row level security cost more than the read that follows; so each row
--            is looked up by a primary or unique key that names seller or subject, one table at a time, which is cheapest.
-- Whoever may call the second may call the first, and the second tells no more: it answers nothing, refuses with the same
-- errors, and leaves the caller in the login's role, which sees no row.
--
-- What is answered binds what is committed later: a transaction that may write holds the rows that let it in (FOR KEY SHARE) until
-- it ends. Whoever suspends the seller, removes the member, takes a role away or ends the session waits for that
-- (wait_for_writers in 0006, DELETE by itself), and a writer that comes meanwhile waits in turn and is then refused. What only
-- reads holds nothing, because that would be a write.
--
-- Everything set here ends with the transaction.
set local role robnu_owner;
set local search_path = robnu;

-- Sets everything that policies look at, so that no scope is entered with a setting of another.
create function set_scope(seller text, subject text, actor_kind text, actor text, impersonation text, rights text) returns text
language sql
return concat(set_config('app.current_seller_id', seller, true), set_config('app.current_subject', subject, true),
  set_config('app.rights', rights, true), set_config('app.actor_kind', actor_kind, true),
  set_config('app.actor_id', actor, true), set_config('app.impersonation_session', impersonation, true));

-- What only reads is a page of a list or less, and has two seconds for a statement; what writes has the login's ten. A session that has
-- less keeps it.
create function limit_statements(writes boolean) returns text
language sql
return case
  when writes or current_setting('statement_timeout')::interval between interval '1 ms' and interval '2 s' then ''
  else set_config('statement_timeout', '2s', true)
end;

-- Refuses with RB006 who has sent too much, and says after how many seconds that is over.
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

-- What the actor of a seller scope may do: what they hold, less what a suspended seller's may not. Refuses with
-- insufficient_privilege what the request needs and the actor lacks, with RB005 a write while the seller is suspended.
create function rights_for(held text, suspended boolean, needs text, writes boolean) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Comparisons with null would let everybody in.
  if needs is null or writes is null or suspended is null then
    raise exception 'what the request needs is not known' using errcode = 'insufficient_privilege';
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

-- Persons say whether this is the first transaction of a request: only that one can be refused with RB006 because there were too
-- many, as what has begun is to be ended. Whether there were is what count_request has found out.

-- A person, as a member of a seller, for a request that needs a permission. Refuses with RB001 when there is no membership and
-- with RB006 when the seller, or the person, has sent too much; what follows in the same round trip then fails as well.
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
  -- What refuse_over_rate does; a call costs as much as its look-up.
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
  -- After the members' row, so that a suspension for which that waited is seen.
  if writes then
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller for key share;
  else
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller;
  end if;
  -- Asked only where something may come of it: a call costs as much as a look-up.
  if suspended or needs is null or writes is null or needs <> '' and needs <> all (string_to_array(held, ',')) then
    held := rights_for(held, suspended, needs, writes);
  end if;
  return concat(set_scope(seller::text, subject, 'MEMBER', person::text, '', held), limit_statements(writes));
end $$;
create function enter_member(subject text, seller uuid, needs text, writes boolean, is_first boolean default true) returns text
language sql
return concat(robnu.admit_member(subject, seller, needs, writes, is_first), set_config('role', 'robnu_tenant', true));

-- A job, for an account that must belong to the seller it names. Refuses with RB002, and with RB005 while the seller is suspended.
create function admit_job(seller uuid, account uuid, writes boolean) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  suspended boolean;
begin
  if writes is null then
    raise exception 'what the job does is not known' using errcode = 'insufficient_privilege';
  end if;
  perform from marketplace_accounts a where a.seller_id = seller and a.id = account;
  if not found then
    raise exception 'the account does not belong to the seller' using errcode = 'RB002';
  end if;
  if writes then
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller for key share;
  else
    select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller;
  end if;
  if suspended then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
  return set_scope(seller::text, '', 'JOB', account::text, '', 'ingest');
end $$;
create function enter_job(seller uuid, account uuid, writes boolean default true) returns text
language sql
return concat(robnu.admit_job(seller, account, writes), set_config('role', 'robnu_tenant', true));

-- A staff member, in a live impersonation session of the seller: with the rights of the session's role, but for
-- customers' data and for the team, in which an end of the session would end nothing. Refuses with RB009.
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
    where permission not in ('pii.read', 'members.manage'));
  return concat(set_scope(seller::text, subject, 'STAFF', admin::text, session::text, rights_for(held, suspended, needs, writes)),
    limit_statements(writes));
end $$;
create function enter_impersonation(subject text, session uuid, seller uuid, needs text, writes boolean, is_first boolean default true)
returns text
language sql
return concat(robnu.admit_impersonation(subject, session, seller, needs, writes, is_first), set_config('role', 'robnu_tenant', true));

-- A staff member, of no seller. Refuses others with RB010.
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

-- A person, of no seller yet. Refuses with RB006 who has sent too much, as the others do.
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

-- The platform's own work across sellers; the role's column grants say how little that is.
create function enter_system(system_role text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if system_role is null or system_role not in ('robnu_system_sweep', 'robnu_system_lanes', 'robnu_system_retention') then
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

-- The doors. Each runs with the caller's rights, so a login role passes only where it may become the scope's role.
-- Everything set here ends with the transaction.
set local role robnu_owner;
set local search_path = robnu;

-- Becomes a role and sets everything that policies look at, so that no door forgets a setting of another.
create function enter_as(scope_role text, seller text, subject text, actor_kind text, actor text, impersonation text, rights text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select set_config('role', scope_role, true), set_config('app.current_seller_id', seller, true),
    set_config('app.current_subject', subject, true), set_config('app.rights', rights, true),
    set_config('app.actor_kind', actor_kind, true), set_config('app.actor_id', actor, true),
    set_config('app.impersonation_session', impersonation, true)
$$;

-- Gives the actor of a seller scope what their role allows, less what a suspended seller may not do, and refuses with
-- insufficient_privilege what the request needs and the actor lacks, with RB005 a write while the seller is suspended.
create function enter_with_rights(actor uuid, held text, suspended boolean, needs text, writes boolean) returns void
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
  perform set_config('app.actor_id', actor::text, true), set_config('app.rights', held, true);
end $$;

-- The doors of persons are told whether this is the first transaction of a request: only that one can be refused with RB006
-- because there were too many, as what has begun is to be ended.

-- A person, as a member of a seller, for a request that needs a permission. Refuses with RB001 when there is no membership and
-- with RB006 when the seller, or the person, has sent too much; what follows in the same flight then fails as well.
create function enter_member(subject text, seller uuid, needs text, writes boolean, is_first boolean default true) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  member record;
begin
  perform robnu.enter_as('robnu_tenant', seller::text, subject, 'MEMBER', '', '', '');
  perform robnu.refuse_flood() where is_first;
  select p.id, concat_ws(',', robnu.app_role_rights(m.role), case when m.scan_returns then 'returns.scan' end) as rights,
      s.suspended_at is not null as suspended,
      -- The seller's requests are shared: who stays below an equal share is let in, however much the others send.
      is_first and counted.total >= s.requests_per_window and counted.own * counted.persons > s.requests_per_window as too_many
    into member
    from robnu.members m
    join robnu.people p on p.id = m.person_id
    join robnu.sellers s on s.seller_id = m.seller_id
    cross join lateral (
      select sum(c.requests) as total,
        -- With this request and who sends it.
        1 + coalesce(sum(c.requests) filter (where c.person_id = m.person_id), 0) as own,
        1 + count(*) filter (where c.person_id <> m.person_id) as persons
      from robnu.request_counts c
      where c.seller_id = seller and c.window_start = date_bin('10 seconds', now(), 'epoch')
    ) counted
    where m.seller_id = seller and p.subject = enter_member.subject;
  if not found then
    raise exception 'no membership of this seller' using errcode = 'RB001';
  end if;
  if member.too_many then
    raise exception 'the seller sends too many requests' using errcode = 'RB006',
      detail = ceil(extract(epoch from date_bin('10 seconds', now(), 'epoch') + interval '10 seconds' - now()));
  end if;
  perform robnu.enter_with_rights(member.id, member.rights, member.suspended, needs, writes);
end $$;

-- A super admin, in a live impersonation session of the seller: with the rights of the session's role, but for
-- customers' data and for the team, in which an end of the session would end nothing.
-- Refuses with RB009.
create function enter_impersonation(subject text, session uuid, seller uuid, needs text, writes boolean, is_first boolean default true)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  live record;
begin
  perform robnu.enter_as('robnu_tenant', seller::text, subject, 'STAFF', '', session::text, '');
  perform robnu.refuse_flood() where is_first;
  select i.super_admin_id, s.suspended_at is not null as suspended,
      (
        select string_agg(permission, ',') from unnest(string_to_array(robnu.app_role_rights(i.role), ',')) as permission
        where permission not in ('pii.read', 'members.manage')
      ) as rights
    into live
    from robnu.impersonation_sessions i join robnu.sellers s on s.seller_id = i.seller_id
    where i.seller_id = seller and i.id = session and robnu.app_is_admin_scope();
  if not found then
    raise exception 'no live impersonation session of this seller' using errcode = 'RB009';
  end if;
  perform robnu.enter_with_rights(live.super_admin_id, live.rights, live.suspended, needs, writes);
end $$;

-- A super admin, of no seller. Refuses others with RB010.
create function enter_staff(subject text, is_first boolean default true) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  admin uuid;
begin
  perform robnu.enter_as('robnu_staff', '', subject, 'STAFF', '', '', '');
  perform robnu.refuse_flood() where is_first;
  select a.id into admin from robnu.super_admins a where a.subject = enter_staff.subject and a.removed_at is null;
  if not found then
    raise exception 'not a super admin' using errcode = 'RB010';
  end if;
  perform set_config('app.actor_id', admin::text, true);
end $$;

-- A job, for an account that must belong to the seller it names. Refuses with RB002, and with RB005 while the seller is suspended.
create function enter_job(seller uuid, account uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform robnu.enter_as('robnu_tenant', seller::text, '', 'JOB', account::text, '', 'ingest');
  perform from robnu.marketplace_accounts a where a.seller_id = seller and a.id = account;
  if not found then
    raise exception 'the account does not belong to the seller' using errcode = 'RB002';
  end if;
  if exists (select from robnu.sellers s where s.seller_id = seller and s.suspended_at is not null) then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
end $$;

-- A person, of no seller yet. Refuses with RB006 who has sent too much, as the doors of staff do.
create function enter_person(subject text, is_first boolean default true) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform robnu.enter_as('robnu_person', '', subject, 'PERSON', '', '', '');
  perform robnu.refuse_flood() where is_first;
end $$;

-- The platform's own work across sellers; the role's column grants say how little that is.
create function enter_system(system_role text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if system_role is null or system_role not in ('robnu_system_sweep', 'robnu_system_lanes', 'robnu_system_retention') then
    raise exception 'not a system scope' using errcode = 'RB003';
  end if;
  perform robnu.enter_as(system_role, '', '', 'SYSTEM', '', '', '');
end $$;

grant execute on function enter_as(text, text, text, text, text, text, text)
  to robnu_api, robnu_adapter, robnu_sweep, robnu_lanes;
grant execute on function enter_with_rights(uuid, text, boolean, text, boolean) to robnu_tenant;
grant execute on function enter_member(text, uuid, text, boolean, boolean),
  enter_impersonation(text, uuid, uuid, text, boolean, boolean), enter_staff(text, boolean), enter_person(text, boolean) to robnu_api;
grant execute on function enter_job(uuid, uuid) to robnu_adapter;
grant execute on function enter_system(text) to robnu_sweep, robnu_lanes;

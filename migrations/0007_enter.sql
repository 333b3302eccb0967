-- The doors. Each runs with the caller's rights, so a login role passes only where it may become the scope's role.
-- Everything set here ends with the transaction.
set local role robnu_owner;
set local search_path = robnu;

-- A person, as a member of a seller. Refuses with RB001 when there is no membership; what follows in the same
-- flight then fails as well.
create function enter_member(subject text, seller uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  member_role text;
begin
  perform set_config('role', 'robnu_tenant', true),
    set_config('app.current_seller_id', seller::text, true),
    set_config('app.current_subject', subject, true),
    set_config('app.rights', '', true);
  select m.role into member_role
    from robnu.members m join robnu.people p on p.id = m.person_id
    where m.seller_id = seller and p.subject = enter_member.subject;
  if not found then
    raise exception 'no membership of this seller' using errcode = 'RB001';
  end if;
  perform set_config('app.rights', robnu.app_role_rights(member_role), true);
end $$;

-- A job, for an account that must belong to the seller it names. Refuses with RB002.
create function enter_job(seller uuid, account uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('role', 'robnu_tenant', true),
    set_config('app.current_seller_id', seller::text, true),
    set_config('app.current_subject', '', true),
    set_config('app.rights', 'ingest,credentials.read', true);
  perform from robnu.marketplace_accounts a where a.seller_id = seller and a.id = account;
  if not found then
    raise exception 'the account does not belong to the seller' using errcode = 'RB002';
  end if;
end $$;

-- A person, of no seller yet.
create function enter_person(subject text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('role', 'robnu_person', true),
    set_config('app.current_seller_id', '', true),
    set_config('app.current_subject', subject, true),
    set_config('app.rights', '', true);
end $$;

-- The platform's own work across sellers; the role's column grants say how little that is.
create function enter_system(system_role text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if system_role not in ('robnu_system_sweep', 'robnu_system_lanes') then
    raise exception 'not a system scope' using errcode = 'RB003';
  end if;
  perform set_config('role', system_role, true),
    set_config('app.current_seller_id', '', true),
    set_config('app.current_subject', '', true),
    set_config('app.rights', '', true);
end $$;

grant execute on function enter_member(text, uuid), enter_person(text) to robnu_api;
grant execute on function enter_job(uuid, uuid) to robnu_adapter;
grant execute on function enter_system(text) to robnu_sweep, robnu_lanes;

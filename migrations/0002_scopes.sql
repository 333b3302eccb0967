-- What a session may see is set in two transaction-local settings, the role and these:
--   app.current_seller_id   the seller
--   app.current_subject     the person's token subject
--   app.rights              what the actor may do, comma-separated
set local role robnu_owner;
set local search_path = robnu;

-- Raises instead of comparing with null, so that a forgotten scope is an error and not an empty answer. An unset
-- setting is null on a fresh connection and empty on a used one.
create function app_current_seller_id() returns uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  seller text := current_setting('app.current_seller_id', true);
begin
  if seller is null or seller = '' then
    raise exception 'no seller scope was entered' using errcode = 'RB003';
  end if;
  return seller::uuid;
end $$;

create function app_current_subject() returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  subject text := current_setting('app.current_subject', true);
begin
  if subject is null or subject = '' then
    raise exception 'no person scope was entered' using errcode = 'RB003';
  end if;
  return subject;
end $$;

create function app_may(permission text) returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return permission = any (string_to_array(coalesce(current_setting('app.rights', true), ''), ','));

-- The permissions of each role; the HTTP layer reads the same list, so there is no second one.
create function app_role_rights(member_role text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case member_role
  when 'OWNER' then 'seller.update,seller.close,members.manage,accounts.manage,sync.run,pii.read,payouts.read'
  when 'ADMIN' then 'seller.update,members.manage,accounts.manage,sync.run,pii.read,payouts.read'
  when 'OPERATOR' then 'sync.run,pii.read'
  when 'FINANCE' then 'payouts.read'
  when 'VIEWER' then 'payouts.read'
end;

-- Puts a tenant table under row level security. The owner is bound too (FORCE), and has a policy of its own:
-- without it backfills would see no rows and foreign keys would be validated over nothing.
create procedure protect_tenant_table(relation regclass)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('alter table %s enable row level security', relation);
  execute format('alter table %s force row level security', relation);
  execute format(
    'create policy tenant on %s for all to robnu_tenant'
    ' using (seller_id = (select robnu.app_current_seller_id()))'
    ' with check (seller_id = (select robnu.app_current_seller_id()))', relation);
  execute format('create policy owner on %s for all to robnu_owner using (true) with check (true)', relation);
end $$;

-- Narrows writes on a tenant table to actors with a permission.
create procedure require_right_to_write(relation regclass, permission text, variadic verbs text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  verb text;
begin
  foreach verb in array verbs loop
    execute format(
      'create policy %I on %s as restrictive for %s to robnu_tenant %s',
      verb || '_needs_right', relation, verb,
      case verb
        when 'insert' then format('with check ((select robnu.app_may(%L)))', permission)
        when 'delete' then format('using ((select robnu.app_may(%L)))', permission)
        else format('using ((select robnu.app_may(%1$L))) with check ((select robnu.app_may(%1$L)))', permission)
      end);
  end loop;
end $$;

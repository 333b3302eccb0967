-- Row level security: its helper functions, and the table of each role's permissions.
--
-- The role and these transaction-local settings decide what a session may see:
--   app.current_seller_id   the seller
--   app.current_subject     the person's token subject
--   app.rights              what the actor may do, comma-separated
--   app.actor_kind          MEMBER, STAFF, JOB or PERSON; for the audit trail
--   app.actor_id            the person, the staff member or the account
--   app.impersonation_session  the session under which a staff member acts for the seller
set local role robnu_owner;
set local search_path = robnu;

-- The functions that policies call have standard SQL bodies. Their names are resolved when they are made, so no search path
-- can mislead them. The planner inlines them into the calling statement, which costs nothing; a pinned search path would
-- prevent that, and would be set and reset at each call.

-- Raises an error where a comparison with null would find no rows: a forgotten scope fails loudly.
create function raise_no_scope(kind text) returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'no % scope was entered', kind using errcode = 'RB003';
end $$;

-- An unset setting is null on a fresh connection and empty on a used one.
create function app_current_seller_id() returns uuid
language sql stable parallel safe
return coalesce(nullif(current_setting('app.current_seller_id', true), ''), robnu.raise_no_scope('seller'))::uuid;

create function app_current_subject() returns text
language sql stable parallel safe
return coalesce(nullif(current_setting('app.current_subject', true), ''), robnu.raise_no_scope('person'));

create function app_may(permission text) returns boolean
language sql stable parallel safe
return permission = any (string_to_array(coalesce(current_setting('app.rights', true), ''), ','));

-- Whether the actor has one of several permissions.
create function app_may_any(variadic permissions text[]) returns boolean
language sql stable parallel safe
return permissions && string_to_array(coalesce(current_setting('app.rights', true), ''), ',');

-- The permissions of each role. This is the only list; how to change it is in README.md. A member without a role has only
-- what is granted to members one by one (members.scan_returns).
create function app_role_rights(member_role text) returns text
language sql immutable parallel safe
return case member_role
  when 'OWNER' then 'read,seller.update,seller.close,accounts.manage,members.manage,members.all,audit.read,sync.run,sync.payouts,pii.read,'
    'documents.write,returns.scan,claims.file,claims.resolve,exports.create,payouts.read'
  when 'ADMIN' then 'read,seller.update,accounts.manage,members.manage,audit.read,sync.run,sync.payouts,pii.read,'
    'documents.write,returns.scan,claims.file,claims.resolve,exports.create,payouts.read'
  when 'OPERATOR' then 'read,sync.run,sync.payouts,pii.read,documents.write,returns.scan,claims.file'
  when 'FINANCE' then 'read,sync.payouts,documents.write,returns.scan,claims.file,claims.resolve,exports.create,payouts.read'
  when 'VIEWER' then 'read,payouts.read'
end;

-- Puts a tenant table under row level security. The owner is bound too (FORCE) and has a policy of its own: without it,
-- backfills would see no rows and foreign keys would be validated over nothing.
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

-- Narrows reads of a tenant table to actors with one of several permissions.
create procedure require_right_to_read(relation regclass, variadic permissions text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create policy select_needs_right on %s as restrictive for select to robnu_tenant '
    'using ((select robnu.app_may_any(variadic %L::text[])))', relation, permissions);
end $$;

-- Counts a row's changes in its column version, for ETag and If-Match. Writing the same values again is no change.
create function raise_version() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.version := old.version + 1;
  return new;
end $$;
create procedure keep_version(relation regclass, variadic columns text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'create trigger raise_version before update of %s on %s for each row when (row(%s) is distinct from row(%s))'
    ' execute function robnu.raise_version()',
    (select string_agg(quote_ident(name), ', ') from unnest(columns) as name), relation,
    (select string_agg('old.' || quote_ident(name), ', ') from unnest(columns) as name),
    (select string_agg('new.' || quote_ident(name), ', ') from unnest(columns) as name));
end $$;

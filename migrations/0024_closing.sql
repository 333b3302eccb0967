-- Closing a seller: an owner asks for it and may take that back for a month. Then the closing sweep stops the seller, deletes personal
-- data and the data keys, and records the end. What it does outside the database (the KMS key, the objects) is between two steps.
--
-- robnu_system_closing  may have sellers closed that are due for it, and sees no row
do $$
begin
  if not exists (select from pg_roles where rolname = 'robnu_system_closing') then
    create role robnu_system_closing nologin noinherit;
  end if;
end $$;
grant robnu_system_closing to robnu_sweep with inherit false, set true;

set local role robnu_owner;
set local search_path = robnu;
grant usage on schema robnu to robnu_system_closing;

-- ---- Asking, and taking it back ----

-- Asks for the closing of the scope's seller and, if an id is given for it, for an export of everything first. Returns ASKED; ALREADY when
-- it was asked for before; or OTHER_NAME when the name is not exactly the seller's, so that nobody closes a seller by accident. A seller
-- asks five times a day at most, because each asking mails all owners. SECURITY DEFINER because a grant on the columns would reach
-- everybody who may rename the seller. The function checks what policies would have checked. Staff who act for a seller do not hold the
-- permission.
create function ask_closing(confirmed_name text, why text, export_first uuid) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
begin
  if not app_may('seller.close') or current_setting('app.actor_kind', true) is distinct from 'MEMBER' then
    raise exception 'the scope may not close the seller' using errcode = 'insufficient_privilege';
  end if;
  perform from sellers where seller_id = seller and name = confirmed_name;
  if not found then
    return 'OTHER_NAME';
  end if;
  update sellers
  set closing_asked_at = now(), closing_reason = why, updated_at = now(),
    closes_at = now() + make_interval(days => (select closing_days from orgs where id = org_id))
  where seller_id = seller and name = confirmed_name and closes_at is null;
  if not found then
    return 'ALREADY';
  end if;
  perform count_mail('SELLER_TO_MAILBOX', sha256('closing'::bytea || uuid_send(seller)), 5, 'sellers_closing_asked');
  if export_first is not null then
    insert into exports (seller_id, id, list, filters) values (seller, export_first, 'everything', '{}');
  end if;
  return 'ASKED';
end $$;

-- Takes the asking back. Returns TAKEN_BACK, whether or not there was one; or TOO_LATE when the time for it is over. SECURITY DEFINER
-- for the same reason.
create function take_closing_back() returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('seller.close') or current_setting('app.actor_kind', true) is distinct from 'MEMBER' then
    raise exception 'the scope may not close the seller' using errcode = 'insufficient_privilege';
  end if;
  update sellers
  set closing_asked_at = null, closing_reason = null, closes_at = null, updated_at = now()
  where seller_id = app_current_seller_id() and closes_at > now() and closing_step is null;
  perform from sellers where seller_id = app_current_seller_id() and closes_at is not null;
  return case when found then 'TOO_LATE' else 'TAKEN_BACK' end;
end $$;
grant execute on function ask_closing(text, text, uuid), take_closing_back() to robnu_tenant;

-- A suspension takes the asking back: staff suspend a seller to look into it, and closing would delete what they look at. An owner can
-- ask again after the seller was resumed.
create function keep_what_is_suspended() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.closing_asked_at := null;
  new.closing_reason := null;
  new.closes_at := null;
  return new;
end $$;
create trigger keep_what_is_suspended before update of suspended_at on sellers for each row
  when (old.suspended_at is null and new.suspended_at is not null and old.closing_step is null)
  execute function keep_what_is_suspended();

-- ---- The sweep's steps ----

-- Whether a closing waits for an export of everything that was asked for before the closing was due: while it is not finished, for seven
-- days at most, and for three days after it was ready, so that it can be downloaded. An export that failed holds nothing up: the owners
-- see it for as long as the closing can be taken back, and can ask for another.
create function waits_for_archive(seller uuid, due_at timestamptz) returns boolean
language sql stable
set search_path = robnu, pg_temp
as $$
  select exists (
    select from exports e
    where e.seller_id = seller and e.list = 'everything' and e.queued_at < due_at
      and (e.state in ('QUEUED', 'RUNNING') and due_at > now() - interval '7 days'
        or e.state = 'SUCCEEDED' and e.finished_at > now() - interval '3 days'))
$$;

-- Sellers whose closing is due or has begun, after the given one, in the order of their ids. SECURITY DEFINER, like all that follows,
-- because the role sees no row and may change none.
create function closings_due(after uuid, at_most bigint) returns table (seller uuid, step text)
language sql stable security definer
set search_path = robnu, pg_temp
as $$
  select s.seller_id, s.closing_step from sellers s
  where s.closes_at <= now() and s.closed_at is null and s.suspended_at is null and s.seller_id > after
    and (s.closing_step is not null or not waits_for_archive(s.seller_id, s.closes_at))
  order by s.seller_id
  limit at_most
$$;

-- Makes sellers due at once that are closed according to the register outside the database: a restored backup does not know of it.
-- Returns how many. A seller that the backup shows as suspended was resumed before it was closed. It is due from its first day on, so that
-- no export holds it up that the backup shows as unfinished.
create function close_again(closed uuid[]) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  reopened integer;
begin
  update sellers
  set suspended_at = null, suspension_reason = null
  where seller_id = any (closed) and closing_step is null and suspended_at is not null;
  update sellers
  set closing_asked_at = coalesce(closing_asked_at, now()), closes_at = created_at, updated_at = now()
  where seller_id = any (closed) and closing_step is null and closes_at is distinct from created_at;
  get diagnostics reopened = row_count;
  return reopened;
end $$;

-- Nothing works for the seller from here on. All of it is one transaction: it waits for writers who were admitted before, because they
-- hold the seller's row, and nobody is admitted after it.
create function stop_seller(seller uuid) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  persons uuid[];
  person uuid;
begin
  update marketplace_accounts
  set status = 'DISCONNECTED', connected_by = null, verified_login_digest = null, updated_at = now()
  where seller_id = seller and (status <> 'DISCONNECTED' or connected_by is not null or verified_login_digest is not null);
  perform wipe_credentials(seller, a.id) from marketplace_accounts a where a.seller_id = seller;
  update schedules set enabled = false where seller_id = seller and enabled;
  perform end_runs_of_seller(seller);
  -- The exporter aborts the uploads of those that it was writing.
  update exports set state = 'CANCELLED', finished_at = now(), lease_expires_at = null
  where seller_id = seller and state in ('QUEUED', 'RUNNING');
  update exports set requested_by = null where seller_id = seller;
  update impersonation_sessions set ended_at = now() where seller_id = seller and ended_at is null;
  -- A person who is in no other seller is forgotten. Where other rows refer to them, only the address goes.
  with gone as (delete from members where seller_id = seller returning person_id)
  select array_agg(person_id) into persons from gone;
  delete from lane_openings where seller_id = seller;
  update sellers set signed_up_by = null where seller_id = seller;
  persons := array(
    select p.id from people p where p.id = any (persons) and not exists (select from members m where m.person_id = p.id));
  update people set email = 'gone@invalid' where id = any (persons);
  foreach person in array persons loop
    begin
      delete from people where id = person;
    exception when foreign_key_violation then
      null;
    end;
  end loop;
end $$;

create function end_runs_of_seller(seller uuid) returns void
language sql
set search_path = robnu, pg_temp
as $$
  update sync_runs
  set state = 'CANCELLED', finished_at = now(), lease_expires_at = null, next_attempt_at = null,
    error_code = 'seller_closed', error_message = 'the seller was closed'
  where seller_id = seller and state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')
$$;

-- Deletes or replaces at most so many rows with personal data, and returns how many; 0 when none is left. Rows with a column …_enc go,
-- in whatever table they are: such a table holds nothing else (the catalogue test says so). The other tables are named here. Texts that
-- members wrote about claims, and the names of their files, may name customers; amounts, dates and states stay, because they belong to the books of account.
create function erase_seller(seller uuid, at_most bigint) returns bigint
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  work text;
  once bigint;
  erased bigint := 0;
begin
  for work in
    select format('delete from %1$s where ctid = any (array(select ctid from %1$s where seller_id = $1 limit $2))', c.oid::regclass)
    from pg_class c
    where c.relnamespace = 'robnu'::regnamespace and c.relkind = 'r'
      and (c.relname = any ('{invitations,account_authorizations,idempotency_keys,request_counts,unmatched_scans}')
        or exists (select from pg_attribute a where a.attrelid = c.oid and not a.attisdropped and a.attname ~ '_enc$'))
    union all
    select format('update %1$s set %2$s where ctid = any (array(select ctid from %1$s where seller_id = $1 and (%3$s) limit $2))',
      texts.of_table, texts.change, texts.present)
    from (values
      (1, 'claims', 'note = null, status_reason = case when status_reason is not null then ''removed'' end',
        'note is not null or status_reason <> ''removed'''),
      (2, 'claim_events', 'reason = null', 'reason is not null'),
      (3, 'storage_objects', 'state = ''DELETED'', file_name = case when file_name is not null then ''removed'' end',
        'state <> ''DELETED'' or file_name <> ''removed'''),
      (4, 'exports', 'filters = ''{}''', 'filters <> ''{}'''),
      (5, 'impersonation_sessions', 'reason = ''removed''', 'reason <> ''removed'''),
      -- Addresses of members, and what staff wrote. The events themselves stay, for as long as `forget` keeps them.
      (6, 'audit_events', 'actor_email = null, shown = case when action like ''impersonation.%'' then shown - ''reason'' else shown end',
        'actor_email is not null or (action like ''impersonation.%'' and shown ? ''reason'')')
    ) as texts (place, of_table, change, present)
  loop
    execute work using seller, at_most - erased;
    get diagnostics once = row_count;
    erased := erased + once;
    exit when erased >= at_most;
  end loop;
  return erased;
end $$;

-- Takes the step after from_step, or a part of it, and returns the step that was done last now. Returns null when the seller is not
-- due, or when another call has taken the step: it goes on from there. Each step may be repeated, and none leads back. What must happen
-- outside the database before a step is up to the sweep.
create function advance_closing(seller uuid, from_step text, at_most bigint) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  done text;
begin
  perform from sellers s
  where s.seller_id = seller and s.closes_at <= now() and s.closed_at is null and s.suspended_at is null
    and s.closing_step is not distinct from from_step and (from_step is not null or not waits_for_archive(seller, s.closes_at))
  for update;
  if not found then
    return null;
  end if;
  if from_step is null then
    -- The step comes first: keep_an_owner lets the last owner go only then.
    update sellers set closing_step = 'STOPPED', closing_reason = null where seller_id = seller;
    perform stop_seller(seller);
    return 'STOPPED';
  end if;
  if from_step = 'STOPPED' then
    -- The sweep of raw pages may be writing an object of the seller. It must be there to be deleted.
    if exists (select from raw_pages where seller_id = seller and stored_at is null and leased_until > now()) then
      return null;
    end if;
    done := case when erase_seller(seller, at_most) = 0 then 'ERASED' else 'STOPPED' end;
  elsif from_step = 'ERASED' then
    -- The key sweep leases a data key while it makes a KMS key for the seller, which must be there to be deleted.
    if exists (select from seller_keys where seller_id = seller and lease_expires_at > now()) then
      return null;
    end if;
    delete from seller_keys where seller_id = seller;
    done := 'KEYS_DELETED';
  else
    -- The scheduling sweep may have made a run while the seller was being stopped. It had nothing to open credentials with.
    perform end_runs_of_seller(seller);
    done := 'CLOSED';
  end if;
  update sellers
  set closing_step = done, closed_at = case done when 'CLOSED' then now() end
  where seller_id = seller and closing_step <> done;
  return done;
end $$;
grant execute on function closings_due(uuid, bigint), close_again(uuid[]), advance_closing(uuid, text, bigint) to robnu_system_closing;

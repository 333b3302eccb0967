-- Marketplace accounts, their typed details, their lanes and schedules.
set local role robnu_owner;
set local search_path = robnu;

create table marketplace_accounts (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  marketplace_code text not null references marketplaces (code),
  external_account_id text not null check (length(external_account_id) between 1 and 100),
  -- Who stated the id: the marketplace itself, the browser that came back from its consent page, or the seller.
  external_account_id_source text not null default 'SELLER' check (external_account_id_source in ('MARKETPLACE', 'BROWSER', 'SELLER')),
  display_name text not null check (length(display_name) between 1 and 200),
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'PAUSED', 'NEEDS_RECONNECT', 'DISCONNECTED')),
  -- The lane as it exists; the lanes function keeps it. The wanted state follows from status (lane_wanted).
  lane_state text not null default 'REQUESTED' check (lane_state in ('REQUESTED', 'ACTIVE', 'PAUSED', 'RETIRED')),
  lane_generation integer not null default 1 check (lane_generation > 0),
  lane_queue_url text,
  lane_mapping_id text,
  lane_checked_at timestamptz,
  -- Which kind of lane the account is to have, as operators decide (0028_operators.sql), and since when if they have: a FIFO queue and a
  -- mapping of its own, or the marketplace's parallel queue, which costs nothing while the account is idle.
  lane_kind text not null default 'DEDICATED' check (lane_kind in ('DEDICATED', 'SHARED')),
  lane_kind_since timestamptz,
  -- Whether the lane as it exists is the marketplace's parallel queue. Such a lane has no mapping of its own.
  lane_shared boolean not null default false,
  -- A lease: the call that works on the lane holds it until then, so that two calls never make two mappings.
  lane_lease_until timestamptz,
  -- Which credentials the account has. It counts up when they are replaced, so that a run whose old credentials were refused
  -- does not stop the account for the new ones.
  credentials_generation integer not null default 1,
  -- Which credentials the marketplace had refused when the account was paused. With the same ones the account does not become
  -- active when it is resumed.
  paused_generation integer,
  -- When the marketplace last judged the credentials, and how.
  last_validated_at timestamptz,
  last_validation text check (last_validation in ('OK', 'REFUSED', 'UNREACHABLE')),
  -- When the marketplace first accepted credentials of the account; there is no lane before that.
  verified_at timestamptz,
  -- Since when the marketplace refuses the account's credentials; null while it accepts them.
  refused_since timestamptz,
  -- Since when the account has its status.
  status_since timestamptz not null default now(),
  -- Since when and why the platform's operators hold the account's runs. It stands beside the status, which is the seller's: neither
  -- undoes the other.
  held_at timestamptz,
  hold_reason text check (length(hold_reason) between 1 and 500),
  -- The member who connected it, for the bound per member; null when staff did.
  connected_by uuid references people (id),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, marketplace_code, external_account_id),
  check (status <> 'NEEDS_RECONNECT' or refused_since is not null),
  check ((held_at is null) = (hold_reason is null)),
  check (not lane_shared or lane_mapping_id is null)
);
-- Lanes and sweeps look accounts up across sellers.
create index marketplace_accounts_lane on marketplace_accounts (lane_state, lane_checked_at);
create index marketplace_accounts_by_id on marketplace_accounts (id);
create index marketplace_accounts_by_age on marketplace_accounts (seller_id, created_at);
create index marketplace_accounts_verified on marketplace_accounts (seller_id) where verified_at is not null;
create index marketplace_accounts_by_person on marketplace_accounts (connected_by, created_at);
-- Accounts whose lane differs from lane_wanted or is of the other kind, except for its rule of a week, which no index can hold.
create index marketplace_accounts_lane_differs on marketplace_accounts (seller_id, id)
  where (verified_at is not null and status = 'ACTIVE' and lane_state <> 'ACTIVE')
    or (verified_at is not null and status = 'PAUSED' and lane_state = 'ACTIVE')
    or (verified_at is not null and status = 'DISCONNECTED' and lane_state <> 'RETIRED')
    or (verified_at is null and lane_state in ('ACTIVE', 'PAUSED'))
    or (lane_state in ('ACTIVE', 'PAUSED') and (lane_kind = 'SHARED') <> lane_shared);
create index marketplace_accounts_refused on marketplace_accounts (lane_state, refused_since)
  where verified_at is not null and status = 'NEEDS_RECONNECT';
call protect_tenant_table('marketplace_accounts');
call require_right_to_read('marketplace_accounts', 'read', 'returns.scan', 'ingest');
call keep_version('marketplace_accounts', 'display_name', 'status', 'credentials_generation');
call audit('marketplace_accounts', 'insert or update of display_name, status, credentials_generation, held_at, lane_kind',
  'account', 'id', 'marketplace_code', 'external_account_id', 'display_name', 'status', 'credentials_generation', 'held_at', 'hold_reason',
  'lane_kind');
call require_right_to_write('marketplace_accounts', 'accounts.manage', 'insert');
-- Jobs set NEEDS_RECONNECT and the marketplace's verdict on the credentials; members with the right set the rest.
create policy update_needs_right on marketplace_accounts as restrictive for update to robnu_tenant
  using ((select app_may('accounts.manage')) or (select app_may('ingest')))
  with check ((select app_may('accounts.manage')) or (select app_may('ingest')));
grant select,
  insert (seller_id, id, marketplace_code, external_account_id, external_account_id_source, display_name, verified_at),
  update (display_name, status, paused_generation, last_validated_at, last_validation, updated_at)
  on marketplace_accounts to robnu_tenant;
create policy sweep on marketplace_accounts for select to robnu_system_sweep using (true);
grant select (seller_id, id, marketplace_code, status, verified_at, lane_state, lane_queue_url, held_at)
  on marketplace_accounts to robnu_system_sweep;
create policy lanes on marketplace_accounts for all to robnu_system_lanes using (true) with check (true);
grant select (seller_id, id, marketplace_code, status, verified_at, refused_since, lane_state, lane_generation, lane_queue_url,
    lane_mapping_id, lane_checked_at, lane_lease_until, lane_kind, lane_shared, held_at),
  update (lane_state, lane_generation, lane_queue_url, lane_mapping_id, lane_checked_at, lane_lease_until, lane_shared)
  on marketplace_accounts to robnu_system_lanes;

-- Whether the platform holds an account's runs: the account's own hold, or its marketplace's. No run of such an account is made by a
-- schedule, published or taken; what is there waits in its state.
create function is_held(account_held_at timestamptz, marketplace text) returns boolean
language sql stable parallel safe
set search_path = robnu, pg_temp
as $$
  select account_held_at is not null or exists (select from marketplaces m where m.code = marketplace and m.held_at is not null)
$$;
grant execute on function is_held(timestamptz, text) to robnu_tenant, robnu_system_sweep, robnu_system_lanes;
-- Whether a run of an account can be published, as far as the account's status and its lane go.
create function takes_runs(account_status text, lane_queue_url text, kind text) returns boolean
language sql immutable parallel safe
return (account_status = 'ACTIVE' or (account_status = 'NEEDS_RECONNECT' and kind in ('CREDENTIAL_CHECK', 'FILE_IMPORT')))
  and (lane_queue_url is not null or kind = 'FILE_IMPORT');
grant execute on function takes_runs(text, text, text) to robnu_system_sweep;

-- Keeps the marketplace's verdict on the credentials beside the status, and since when the account has it, whoever writes the status. A
-- paused or disconnected account keeps the verdict on its credentials until it gets others.
create function keep_standing() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.last_validation = 'OK' then
    new.verified_at := coalesce(new.verified_at, now());
  end if;
  if new.status = 'NEEDS_RECONNECT' then
    new.refused_since := coalesce(new.refused_since, now());
  elsif new.status = 'ACTIVE' or (tg_op = 'UPDATE' and new.credentials_generation <> old.credentials_generation) then
    new.refused_since := null;
  end if;
  if tg_op = 'UPDATE' and new.status <> old.status then
    new.status_since := now();
  end if;
  return new;
end $$;
create trigger keep_standing before insert or update of status, last_validation, credentials_generation on marketplace_accounts
  for each row execute function keep_standing();

-- Returns the state that a lane should have. No lane is made before the marketplace has accepted credentials of the account:
-- REQUESTED. An account that must be reconnected keeps its lane for a week, because its credentials can still be tested there.
-- Then the lane is retired, because each costs money every month; it comes back with accepted credentials.
create function lane_wanted(status text, verified_at timestamptz, refused_since timestamptz) returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when verified_at is null then 'REQUESTED'
  when status = 'DISCONNECTED' then 'RETIRED'
  when status = 'PAUSED' then 'PAUSED'
  when status = 'NEEDS_RECONNECT' and refused_since < now() - interval '7 days' then 'RETIRED'
  else 'ACTIVE'
end;
grant execute on function lane_wanted(text, timestamptz, timestamptz) to robnu_tenant, robnu_system_lanes;

-- A seller connects at most 100 accounts in a day, and any number in all. A member connects at most 100 in a day over all their
-- sellers. Accounts that staff connect count for the seller only. SECURITY DEFINER because the function counts accounts of other
-- sellers, and locks the seller and the person, so that concurrent connections are counted against each other.
create function limit_new_accounts() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may('accounts.manage') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  perform from sellers where seller_id = new.seller_id for no key update;
  if (select count(*) from marketplace_accounts where seller_id = new.seller_id and created_at > now() - interval '1 day') >= 100 then
    raise exception 'the seller has connected too many accounts today'
      using errcode = 'check_violation', constraint = 'marketplace_accounts_a_day';
  end if;
  new.connected_by := case when current_setting('app.actor_kind', true) = 'MEMBER' then nullif(current_setting('app.actor_id', true), '')::uuid end;
  perform from people where id = new.connected_by for no key update;
  if (select count(*) from marketplace_accounts where connected_by = new.connected_by and created_at > now() - interval '1 day') >= 100 then
    raise exception 'the person has connected too many accounts today'
      using errcode = 'check_violation', constraint = 'marketplace_accounts_a_day_and_person';
  end if;
  return new;
end $$;
create trigger limit_new_accounts before insert on marketplace_accounts for each row execute function limit_new_accounts();

-- Satellite tables, one per marketplace. Columns named …_enc hold ciphertext under the seller's data key. An account that was
-- connected by consent uses the platform's own application and has no client of its own.
create table ajio_account_details (
  seller_id uuid not null,
  account_id uuid not null,
  username text not null,
  password_enc bytea not null,
  updated_at timestamptz not null default now(),
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
create table amazon_account_details (
  seller_id uuid not null,
  account_id uuid not null,
  client_id text,
  client_secret_enc bytea,
  refresh_token_enc bytea not null,
  updated_at timestamptz not null default now(),
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade,
  check ((client_id is null) = (client_secret_enc is null))
);
create table flipkart_account_details (
  seller_id uuid not null,
  account_id uuid not null,
  app_id text,
  app_secret_enc bytea,
  refresh_token_enc bytea,
  location_id text,
  updated_at timestamptz not null default now(),
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade,
  check ((app_id is null) = (app_secret_enc is null)),
  check (app_id is not null or refresh_token_enc is not null)
);
-- Meesho issues keys to partners only; an account without one works with files.
create table meesho_account_details (
  seller_id uuid not null,
  account_id uuid not null,
  supplier_id text not null,
  api_key_enc bytea,
  api_secret_enc bytea,
  updated_at timestamptz not null default now(),
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade,
  check ((api_key_enc is null) = (api_secret_enc is null))
);
-- The account whose credentials the transaction has opened.
create function app_opened_account() returns uuid
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return nullif(current_setting('app.opened_account', true), '')::uuid;
grant execute on function app_opened_account() to robnu_tenant;
-- People can write credentials and never read them. Only a job reads them, even encrypted, and only after open_credentials has
-- recorded it.
do $$
declare
  relation regclass;
begin
  foreach relation in array array['ajio_account_details', 'amazon_account_details', 'flipkart_account_details',
    'meesho_account_details']::regclass[] loop
    call protect_tenant_table(relation);
    execute format('create policy select_opened on %s as restrictive for select to robnu_tenant '
      'using (account_id = (select robnu.app_opened_account()))', relation);
    call require_right_to_write(relation, 'accounts.manage', 'insert');
  end loop;
end $$;
grant select, insert (seller_id, account_id, username, password_enc) on ajio_account_details to robnu_tenant;
grant select, insert (seller_id, account_id, client_id, client_secret_enc, refresh_token_enc) on amazon_account_details to robnu_tenant;
grant select, insert (seller_id, account_id, app_id, app_secret_enc, refresh_token_enc, location_id) on flipkart_account_details to robnu_tenant;
grant select, insert (seller_id, account_id, supplier_id, api_key_enc, api_secret_enc) on meesho_account_details to robnu_tenant;

-- Locks an account in the version that a client has seen, for statements that cannot compare the version themselves.
create function hold_account_version(account uuid, seen integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from robnu.marketplace_accounts
    where seller_id = robnu.app_current_seller_id() and id = account and version = seen for no key update;
  if not found then
    raise exception 'the account has another version' using errcode = 'check_violation', constraint = 'marketplace_accounts_version';
  end if;
end $$;
grant execute on function hold_account_version(uuid, integer) to robnu_tenant;

-- Replacing credentials. SECURITY DEFINER because an UPDATE that names its row, like ON CONFLICT DO UPDATE, needs a policy
-- that lets it SELECT the row. That policy would show members the ciphertext too, because jobs, which must read it, hold the
-- same role and so the same column grants. This way members hold neither verb: they can put new secrets in the place of old
-- ones and nothing else. The function checks what policies would have checked: the seller, the right and the account.
create function renew_credentials_generation(account uuid) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('accounts.manage') then
    raise exception 'the scope may not replace credentials' using errcode = 'insufficient_privilege';
  end if;
  -- This locks the account until the transaction ends.
  update marketplace_accounts set credentials_generation = credentials_generation + 1
  where seller_id = app_current_seller_id() and id = account;
  if not found then
    raise exception 'the seller has no such account' using errcode = 'RB002';
  end if;
  delete from access_tokens where seller_id = app_current_seller_id() and account_id = account;
end $$;
create function replace_ajio_account_details(account uuid, new_username text, new_password_enc bytea) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform renew_credentials_generation(account);
  update ajio_account_details
  set username = new_username, password_enc = new_password_enc, updated_at = now()
  where seller_id = app_current_seller_id() and account_id = account;
  if not found then
    raise exception 'the account is not one of this marketplace' using errcode = 'RB002';
  end if;
end $$;
create function replace_amazon_account_details(account uuid, new_client_id text, new_client_secret_enc bytea,
  new_refresh_token_enc bytea) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform renew_credentials_generation(account);
  update amazon_account_details
  set client_id = new_client_id, client_secret_enc = new_client_secret_enc, refresh_token_enc = new_refresh_token_enc,
    updated_at = now()
  where seller_id = app_current_seller_id() and account_id = account;
  if not found then
    raise exception 'the account is not one of this marketplace' using errcode = 'RB002';
  end if;
end $$;
create function replace_flipkart_account_details(account uuid, new_app_id text, new_app_secret_enc bytea,
  new_refresh_token_enc bytea, new_location_id text) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform renew_credentials_generation(account);
  update flipkart_account_details
  set app_id = new_app_id, app_secret_enc = new_app_secret_enc, refresh_token_enc = new_refresh_token_enc,
    location_id = new_location_id, updated_at = now()
  where seller_id = app_current_seller_id() and account_id = account;
  if not found then
    raise exception 'the account is not one of this marketplace' using errcode = 'RB002';
  end if;
end $$;
create function replace_meesho_account_details(account uuid, new_supplier_id text, new_api_key_enc bytea,
  new_api_secret_enc bytea) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform renew_credentials_generation(account);
  update meesho_account_details
  set supplier_id = new_supplier_id, api_key_enc = new_api_key_enc, api_secret_enc = new_api_secret_enc, updated_at = now()
  where seller_id = app_current_seller_id() and account_id = account;
  if not found then
    raise exception 'the account is not one of this marketplace' using errcode = 'RB002';
  end if;
end $$;
grant execute on function replace_ajio_account_details(uuid, text, bytea),
  replace_amazon_account_details(uuid, text, bytea, bytea), replace_flipkart_account_details(uuid, text, bytea, bytea, text),
  replace_meesho_account_details(uuid, text, bytea, bytea) to robnu_tenant;

create table credential_events (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  event text not null check (event in ('CONNECTED', 'VALIDATED', 'REFUSED', 'UNREACHABLE', 'ROTATED', 'FORGOTTEN')),
  occurred_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
create index credential_events_by_account on credential_events (seller_id, account_id, id desc);
call protect_tenant_table('credential_events');
call require_right_to_read('credential_events', 'read', 'ingest');
create policy insert_needs_right on credential_events as restrictive for insert to robnu_tenant
  with check ((select app_may('accounts.manage')) or (select app_may('ingest')));
grant select, insert (seller_id, account_id, event) on credential_events to robnu_tenant;

create table schedules (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  kind text not null references run_kinds (code),
  every_minutes integer not null check (every_minutes between 1 and 10080),
  enabled boolean not null default true,
  version integer not null default 1,
  next_due_at timestamptz not null default now(),
  last_claimed_at timestamptz,
  primary key (seller_id, id),
  unique (seller_id, account_id, kind),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
-- The sweep looks for due schedules across sellers.
create index schedules_due on schedules (next_due_at) where enabled;
create index schedules_by_id on schedules (id);
call protect_tenant_table('schedules');
call require_right_to_read('schedules', 'read', 'ingest');
call keep_version('schedules', 'every_minutes', 'enabled');
-- The account is the object, because a schedule that is made and removed in a loop is a new one each time.
call audit('schedules', 'insert or update of every_minutes, enabled or delete', 'schedule', 'account_id', 'id', 'kind', 'every_minutes', 'enabled');
create policy insert_needs_right on schedules as restrictive for insert to robnu_tenant
  with check ((select app_may_any('accounts.manage', 'sync.run')));
create policy update_needs_right on schedules as restrictive for update to robnu_tenant
  using ((select app_may_any('accounts.manage', 'sync.run'))) with check ((select app_may_any('accounts.manage', 'sync.run')));
grant select, insert (seller_id, id, account_id, kind, every_minutes, enabled, next_due_at),
  update (every_minutes, enabled, next_due_at)
  on schedules to robnu_tenant;
-- SECURITY DEFINER for the same reason as remove_member (0003_tenancy.sql).
create function remove_schedule(account uuid, of_kind text, seen integer) returns setof uuid
language sql security definer
set search_path = robnu, pg_temp
as $$
  delete from schedules s
  where s.seller_id = app_current_seller_id() and app_may('sync.run') and s.account_id = account and s.kind = of_kind
    and (seen is null or s.version = seen)
  returning s.id
$$;
grant execute on function remove_schedule(uuid, text, integer) to robnu_tenant;
create policy sweep on schedules for all to robnu_system_sweep using (true) with check (true);
grant select (seller_id, id, account_id, kind, every_minutes, enabled, next_due_at, last_claimed_at),
  update (next_due_at, last_claimed_at)
  on schedules to robnu_system_sweep;

-- Lets a job read the credentials of its own account for the rest of the transaction, and records that it did. SECURITY
-- DEFINER because only the owner's functions write audit events.
create function open_credentials(account uuid, purpose text) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('ingest') then
    raise exception 'only a job opens credentials' using errcode = 'insufficient_privilege';
  end if;
  if account is distinct from nullif(current_setting('app.actor_id', true), '')::uuid then
    raise exception 'a job opens the credentials of its own account only' using errcode = 'RB002';
  end if;
  perform write_audit_event(app_current_seller_id(), 'credentials.opened', account, '{}', jsonb_build_object('purpose', purpose)),
    set_config('app.opened_account', account::text, true);
end $$;
grant execute on function open_credentials(uuid, text) to robnu_tenant;

-- Wipes the secrets of an account: every column …_enc of every satellite table, including future ones, and its access token. A column
-- that is null stays null. Only functions of the owner may execute it.
create function wipe_credentials(seller uuid, account uuid) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  wipe text;
  wiped integer;
  forgotten boolean := false;
begin
  for wipe in
    select format('update %s set %s, updated_at = now() where seller_id = $1 and account_id = $2 and (%s)', c.oid::regclass,
      string_agg(format('%1$I = case when %1$I is not null then %2$L::bytea end', a.attname, ''), ', '),
      string_agg(format('%I <> %L', a.attname, ''), ' or '))
    from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attname ~ '_enc$'
    where c.relnamespace = 'robnu'::regnamespace and c.relname ~ '_account_details$'
    group by c.oid
  loop
    execute wipe using seller, account;
    get diagnostics wiped = row_count;
    forgotten := forgotten or wiped > 0;
  end loop;
  delete from access_tokens where seller_id = seller and account_id = account;
  if forgotten then
    insert into credential_events (seller_id, account_id, event) values (seller, account, 'FORGOTTEN');
  end if;
end $$;

-- Wipes the secrets of a disconnected account. SECURITY DEFINER for the same reason as replacing credentials; it can take secrets
-- away and nothing else.
create function forget_credentials(account uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('accounts.manage') then
    raise exception 'the scope may not forget credentials' using errcode = 'insufficient_privilege';
  end if;
  perform from marketplace_accounts where seller_id = app_current_seller_id() and id = account and status = 'DISCONNECTED' for no key update;
  if found then
    perform wipe_credentials(app_current_seller_id(), account);
  end if;
end $$;
grant execute on function forget_credentials(uuid) to robnu_tenant;

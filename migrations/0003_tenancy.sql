-- Org → Seller → member, and the marketplace registry.
set local role robnu_owner;
set local search_path = robnu;

-- Global tables: orgs, people, run_kinds, marketplaces, marketplace_kinds, claim_terms, staff, person_requests, person_changes, person_idempotency_keys,
-- mail_counts, sign_up_counts, sign_up_key, credential_checks, dead_letters, dead_letter_actions, hold_actions, schema_migrations. Every other relation belongs to a seller.
create table orgs (
  id uuid primary key default uuidv7(),
  name text not null check (length(name) between 1 and 200),
  -- How many requests of a person are answered in ten seconds, over all their sellers.
  person_requests_per_window integer not null default 300 check (person_requests_per_window > 0),
  -- The same in a day (UTC), for callers who stay below the other bound: an app that asks every ten seconds sends 8,640.
  person_requests_per_day integer not null default 100000 check (person_requests_per_day > 0),
  -- The same for a newcomer: a person in no seller that has an account whose credentials a marketplace has accepted.
  -- A newcomer costs us money and pays for nothing.
  newcomer_requests_per_day integer not null default 500 check (newcomer_requests_per_day > 0),
  -- How many sellers may be signed up within 24 hours with one email address, however it is spelled, and from one network
  -- address. Behind a proxy all callers may share a few addresses; raise the second bound then.
  sign_ups_per_address_a_day integer not null default 5 check (sign_ups_per_address_a_day > 0),
  sign_ups_per_source_a_day integer not null default 20 check (sign_ups_per_source_a_day > 0),
  -- How many days lie between asking for a seller's closing and its end. A month, so that its last payouts arrive, claims can be
  -- filed to the end, and owners who did not ask for it see the mail in time.
  closing_days integer not null default 30 check (closing_days > 0),
  created_at timestamptz not null default now()
);
insert into orgs (name) values ('default');

create table people (
  id uuid primary key default uuidv7(),
  subject text not null unique check (length(subject) between 1 and 200),
  email text not null check (length(email) between 3 and 320),
  created_at timestamptz not null default now()
);
alter table people enable row level security;
alter table people force row level security;
create policy self on people for all to robnu_person, robnu_tenant
  using (subject = (select app_current_subject())) with check (subject = (select app_current_subject()));
create policy owner on people for all to robnu_owner using (true) with check (true);
grant select on people to robnu_person;

-- What a run can do. RunKind in the code has the same list; a test compares them.
create table run_kinds (
  code text primary key check (code ~ '^[A-Z][A-Z_]{1,31}$')
);
insert into run_kinds values
  ('ORDERS'), ('RETURNS'), ('PAYOUTS'), ('LISTINGS'), ('INVENTORY_PUSH'), ('PROCESSING'), ('CREDENTIAL_CHECK'), ('FILE_IMPORT');
grant select on run_kinds to robnu_tenant;

create table marketplaces (
  code text primary key check (code ~ '^[A-Z][A-Z_]{1,31}$'),
  display_name text not null,
  -- Only an ACTIVE marketplace can be connected.
  status text not null check (status in ('ACTIVE', 'PLANNED', 'SUSPENDED')),
  -- So many days after delivery the customers of its orders are deleted (customer_data_ends_at in 0010_orders.sql); null: they are kept
  -- until the seller closes. Amazon's Data Protection Policy permits personal data for 30 days after delivery at most, and only to fulfil
  -- orders, to compute and remit taxes, and to produce tax invoices. It excepts by name what the law requires to be kept, which for us are
  -- tax invoices and credit notes: these are documents and never in order_pii.
  customer_data_days integer check (customer_data_days > 0),
  -- Since when and why the platform's operators hold all runs of the marketplace (0028_operators.sql).
  held_at timestamptz,
  hold_reason text check (length(hold_reason) between 1 and 500),
  -- How many of its runs may be under way at once, over all sellers (room_of in 0009_runs.sql). Each takes one adapter and one connection.
  runs_at_once integer not null default 100 check (runs_at_once between 1 and 10000),
  check ((held_at is null) = (hold_reason is null))
);
insert into marketplaces (code, display_name, status, customer_data_days) values
  ('AJIO', 'AJIO', 'ACTIVE', null),
  ('AMAZON_IN', 'Amazon.in', 'ACTIVE', 30),
  ('FLIPKART', 'Flipkart', 'ACTIVE', null),
  ('MEESHO', 'Meesho', 'ACTIVE', null);
-- Why a marketplace is held is for operators.
grant select (code, display_name, status, customer_data_days, held_at) on marketplaces
  to robnu_tenant, robnu_person, robnu_system_sweep, robnu_system_lanes;
grant select (runs_at_once) on marketplaces to robnu_system_sweep;

-- Which kinds of runs each marketplace's adapter can do. Only a LIVE kind is requested or scheduled. A kind without a row is NOT_YET.
create table marketplace_kinds (
  marketplace_code text not null references marketplaces (code),
  kind text not null references run_kinds (code),
  support text not null check (support in ('LIVE', 'BY_FILE', 'NOT_YET', 'UNSUPPORTED')),
  -- Why the marketplace does not support it, in the words of the API's response.
  reason text check (length(reason) between 1 and 200),
  -- How often a newly connected account is scheduled for it; null: not at all.
  every_minutes integer check (every_minutes > 0),
  primary key (marketplace_code, kind),
  check ((support = 'UNSUPPORTED') = (reason is not null)),
  check (every_minutes is null or support = 'LIVE')
);
insert into marketplace_kinds (marketplace_code, kind, support, reason, every_minutes) values
  ('AJIO', 'ORDERS', 'LIVE', null, 60),
  ('AJIO', 'RETURNS', 'LIVE', null, 240),
  -- AJIO's password is reset on AJIO's own page, for example when a seller tries another integrator, and nobody tells us.
  ('AJIO', 'CREDENTIAL_CHECK', 'LIVE', null, 240),
  ('AJIO', 'FILE_IMPORT', 'LIVE', null, null),
  ('AJIO', 'PAYOUTS', 'BY_FILE', null, null),
  ('AMAZON_IN', 'ORDERS', 'LIVE', null, 15),
  ('AMAZON_IN', 'RETURNS', 'LIVE', null, 240),
  -- Transactions appear up to 48 hours late and settlement reports once a day at most, so more runs would find nothing earlier; and a large
  -- seller's transactions of two months take hours to list.
  ('AMAZON_IN', 'PAYOUTS', 'LIVE', null, 720),
  ('AMAZON_IN', 'CREDENTIAL_CHECK', 'LIVE', null, null),
  ('AMAZON_IN', 'FILE_IMPORT', 'LIVE', null, null),
  ('FLIPKART', 'ORDERS', 'LIVE', null, 30),
  ('FLIPKART', 'RETURNS', 'LIVE', null, 240),
  ('FLIPKART', 'CREDENTIAL_CHECK', 'LIVE', null, null),
  ('FLIPKART', 'FILE_IMPORT', 'LIVE', null, null),
  ('FLIPKART', 'PAYOUTS', 'BY_FILE', null, null),
  ('MEESHO', 'CREDENTIAL_CHECK', 'LIVE', null, null),
  ('MEESHO', 'FILE_IMPORT', 'LIVE', null, null),
  ('MEESHO', 'ORDERS', 'BY_FILE', null, null),
  ('MEESHO', 'RETURNS', 'BY_FILE', null, null),
  ('MEESHO', 'PAYOUTS', 'BY_FILE', null, null),
  ('MEESHO', 'INVENTORY_PUSH', 'BY_FILE', null, null),
  ('MEESHO', 'LISTINGS', 'UNSUPPORTED', 'Meesho has no public API and no export of listings.', null);
grant select on marketplace_kinds to robnu_tenant, robnu_person, robnu_system_sweep;

-- The reasons of claims, in the order in which returns.file_by_days has a number for each. The first is for what did not
-- arrive; the others are about what arrived.
create function claim_reasons() returns text[]
language sql immutable parallel safe
return array['NOT_RECEIVED', 'WRONG_ITEM', 'DAMAGED', 'USED', 'MISSING_QUANTITY', 'OTHER'];

-- Days from its start after which a return counts as lost, where the marketplace publishes no number. This number is ours.
create function default_missing_after_days() returns integer
language sql immutable parallel safe
return 60;
grant execute on function claim_reasons(), default_missing_after_days() to robnu_tenant, robnu_person;

-- The two clocks of each marketplace and reason, in days; how to change them is in README.md.
create table claim_terms (
  marketplace_code text not null references marketplaces (code),
  reason text not null check (reason = any (claim_reasons())),
  -- From a return's start until it counts as lost. Null: not published, so default_missing_after_days() applies.
  missing_after_days integer check (missing_after_days between 1 and 365),
  -- From a return's completion until the last moment at which a claim can be filed. Null: unknown.
  file_by_days integer check (file_by_days between 1 and 365),
  primary key (marketplace_code, reason),
  check (missing_after_days is null or reason = 'NOT_RECEIVED')
);
-- No marketplace is known to treat its reasons differently, so each of its reasons begins with the same number.
insert into claim_terms (marketplace_code, reason, missing_after_days, file_by_days)
select known.code, reason, case when reason = 'NOT_RECEIVED' then known.missing_after_days end, known.file_by_days
from (values ('AJIO', 60, null), ('AMAZON_IN', null, 7), ('FLIPKART', null, 14), ('MEESHO', null, 7))
    as known (code, missing_after_days, file_by_days)
  cross join unnest(claim_reasons()) as reason;
grant select on claim_terms to robnu_tenant, robnu_person;

create table sellers (
  seller_id uuid primary key default uuidv7(),
  org_id uuid not null references orgs (id),
  name text not null check (length(name) between 1 and 200),
  -- A suspended seller can be read and not changed.
  suspended_at timestamptz,
  suspension_reason text check (length(suspension_reason) between 1 and 500),
  -- How many requests are answered in ten seconds.
  requests_per_window integer not null default 200 check (requests_per_window > 0),
  -- The first owner. They may have left since.
  signed_up_by uuid references people (id),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Closing (0024_closing.sql): when an owner asked for it and why, and from when it can no longer be taken back.
  closing_asked_at timestamptz,
  closing_reason text check (length(closing_reason) between 1 and 500),
  closes_at timestamptz,
  -- Which step of it was done last, and when the last one was. A seller with a step never opens again.
  closing_step text check (closing_step in ('STOPPED', 'ERASED', 'KEYS_DELETED', 'CLOSED')),
  closed_at timestamptz,
  check ((suspended_at is null) = (suspension_reason is null)),
  check ((closing_asked_at is null) = (closes_at is null)),
  check (closes_at is not null or (closing_reason is null and closing_step is null)),
  check ((closed_at is not null) = coalesce(closing_step = 'CLOSED', false)),
  -- Only staff suspend, and they do not see a seller with a step.
  check (suspended_at is null or closing_step is null)
);
create index sellers_by_person on sellers (signed_up_by);
-- The closing sweep looks for these across sellers.
create index sellers_closing on sellers (seller_id) where closes_at is not null and closed_at is null;
call protect_tenant_table('sellers');
call require_right_to_write('sellers', 'seller.update', 'update');
call keep_version('sellers', 'name', 'suspended_at', 'suspension_reason', 'closing_asked_at', 'closing_reason', 'closes_at');
grant select, update (name, updated_at) on sellers to robnu_tenant;

-- What a seller sets in the place of a marketplace's claim terms; null: the marketplace's. It counts for returns that are stored
-- later.
create table seller_claim_terms (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  marketplace_code text not null references marketplaces (code),
  reason text not null check (reason = any (claim_reasons())),
  missing_after_days integer check (missing_after_days between 1 and 365),
  file_by_days integer check (file_by_days between 1 and 365),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, marketplace_code, reason),
  check (missing_after_days is null or reason = 'NOT_RECEIVED')
);
call protect_tenant_table('seller_claim_terms');
call require_right_to_read('seller_claim_terms', 'read', 'ingest');
call require_right_to_write('seller_claim_terms', 'seller.update', 'insert', 'update');
call keep_version('seller_claim_terms', 'missing_after_days', 'file_by_days');
grant select, insert (seller_id, marketplace_code, reason, missing_after_days, file_by_days),
  update (missing_after_days, file_by_days, updated_at)
  on seller_claim_terms to robnu_tenant;

create table members (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  person_id uuid not null references people (id),
  -- Null for a member who may only do what the columns below grant.
  role text check (role in ('OWNER', 'ADMIN', 'OPERATOR', 'FINANCE', 'VIEWER')),
  scan_returns boolean not null default false,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, person_id),
  check (role is not null or scan_returns)
);
create index members_by_person on members (person_id);
call protect_tenant_table('members');
-- An OWNER manages everybody. An ADMIN can neither change nor make OWNER and ADMIN members.
create policy update_needs_right on members as restrictive for update to robnu_tenant
  using ((select app_may('members.all')) or ((select app_may('members.manage')) and coalesce(role, '') not in ('OWNER', 'ADMIN')))
  with check ((select app_may('members.all')) or ((select app_may('members.manage')) and coalesce(role, '') not in ('OWNER', 'ADMIN')));
call keep_version('members', 'role', 'scan_returns');
grant select, update (role, scan_returns, updated_at) on members to robnu_tenant;
-- Removes a member, unless their version differs from the one that the client has seen; returns the removed member's id.
-- SECURITY DEFINER, like every function that deletes: DELETE is granted for whole tables only, and whoever holds it may lock
-- everybody out of the table (LOCK TABLE). The function checks what policies would have checked.
create function remove_member(member uuid, seen integer) returns setof uuid
language sql security definer
set search_path = robnu, pg_temp
as $$
  delete from members m
  where m.seller_id = app_current_seller_id() and m.id = member and (seen is null or m.version = seen)
    and (app_may('members.all') or (app_may('members.manage') and coalesce(m.role, '') not in ('OWNER', 'ADMIN')))
  returning m.id
$$;
grant execute on function remove_member(uuid, integer) to robnu_tenant;

-- A seller always keeps an OWNER, until it is closed. SECURITY DEFINER because the function must see every member and lock the seller, so that two
-- owners who step down at once do not both succeed.
create function keep_an_owner() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform from sellers where seller_id = old.seller_id for no key update;
  if not exists (select from members where seller_id = old.seller_id and role = 'OWNER')
    and exists (select from sellers where seller_id = old.seller_id and closing_step is null)
  then
    raise exception 'a seller keeps at least one owner' using errcode = 'RB008';
  end if;
  return null;
end $$;
create trigger keep_an_owner after update of role or delete on members for each row
  when (old.role = 'OWNER') execute function keep_an_owner();

-- A member sees the people of the team.
create policy teammate on people for select to robnu_tenant using (exists (select from members m where m.person_id = people.id));
grant select (id, subject, email) on people to robnu_tenant;

-- A person sees their own memberships and, through them, the sellers' names.
create policy own on members for select to robnu_person
  using (person_id = (select id from people where subject = (select app_current_subject())));
create policy own on sellers for select to robnu_person
  using (seller_id in (select seller_id from members));
grant select on members, sellers to robnu_person;

-- The seller's data keys, wrapped by KMS with the seller's id as encryption context. The clear keys are never stored. The newest one
-- seals; there are older ones only until everything that they sealed is sealed anew (0026_new_data_keys.sql).
create table seller_keys (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  wrapped_key bytea not null,
  -- The KMS key that wrapped it, and unwraps it whatever wraps new keys.
  kms_key_id text not null,
  created_at timestamptz not null default now(),
  -- Until then nobody but the holder of the lease makes a KMS key for the seller or wraps this key anew. Sign-up holds the first one.
  lease_expires_at timestamptz not null default now() + interval '15 minutes',
  primary key (seller_id, id)
);
call protect_tenant_table('seller_keys');
call require_right_to_read('seller_keys', 'read', 'ingest');
grant select on seller_keys to robnu_tenant;

-- Returns the mailbox that an address leads to, as far as its spelling tells: in lower case, without a plus sign and what
-- follows it. This is for counting only. Two mailboxes may be counted as one; the address itself decides who may accept an
-- invitation. Only ASCII letters are lowered, because others fold onto them. Where a provider is known to ignore more, that is
-- dropped as well: dots at Gmail; dots, hyphens and underscores at Proton; a hyphen and what follows it at Yahoo, whose own
-- names have none. Elsewhere a hyphen is part of a name (shop-1@, shop-2@), as `=` and `_` are everywhere.
create function fold_address(address text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return (
  select case
      when domain in ('gmail.com', 'googlemail.com') then replace(mailbox, '.', '') || '@gmail.com'
      when domain in ('proton.me', 'protonmail.com', 'pm.me') then translate(mailbox, '._-', '') || '@proton.me'
      when domain in ('icloud.com', 'me.com', 'mac.com') then mailbox || '@icloud.com'
      when domain like 'yahoo.%' or domain in ('ymail.com', 'rocketmail.com') then regexp_replace(mailbox, '(.)-.*$', '\1') || '@' || domain
      else mailbox || coalesce('@' || domain, '')
    end
  from (
    select regexp_replace(coalesce(substring(small from '^(.*)@'), small), '(.)[+].*$', '\1') as mailbox,
      rtrim(substring(small from '@([^@]*)$'), '.') as domain
    from lower(address collate "C") as small
  ) as parts);

-- How many sellers were signed up with an email address, and from a network address, within the 24 hours that began with the
-- first. New persons cost nothing, so a bound per person alone bounds nothing. Addresses are kept for a day, as digests under a
-- key that only the owner reads.
create table sign_up_counts (
  digest bytea primary key check (length(digest) = 32),
  began_at timestamptz not null,
  sign_ups integer not null
);
alter table sign_up_counts enable row level security;
alter table sign_up_counts force row level security;
create policy owner on sign_up_counts for all to robnu_owner using (true) with check (true);
create index sign_up_counts_by_age on sign_up_counts (began_at);
create table sign_up_key (
  id boolean primary key default true check (id),
  key bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) check (length(key) = 32)
);
insert into sign_up_key default values;
alter table sign_up_key enable row level security;
alter table sign_up_key force row level security;
create policy owner on sign_up_key for all to robnu_owner using (true) with check (true);

-- Returns what a sign-up counts against, and the bound of each, always in this order: first the email address, all its
-- spellings as one, then the network address.
create function sign_up_digests(email text, source text)
returns table (bound text, digest bytea, most integer)
language plpgsql stable
set search_path = robnu, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select counted.bound, sha256(k.key || convert_to(counted.bound || ' ' || counted.what, 'utf8')), counted.most
    from sign_up_key k cross join (select * from orgs order by created_at, id limit 1) o
    cross join lateral (values
      (1, 'sign_ups_of_address', fold_address(sign_up_digests.email), o.sign_ups_per_address_a_day),
      (2, 'sign_ups_from_source', sign_up_digests.source, o.sign_ups_per_source_a_day)
    ) as counted (place, bound, what, most)
    order by counted.place;
end $$;

-- Raises RB016 with the seconds until there is room again.
create function refuse_sign_up(bound text, began_at timestamptz) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'too many sellers were signed up' using errcode = 'RB016', constraint = bound,
    detail = greatest(1, ceil(extract(epoch from began_at + interval '24 hours' - now())));
end $$;

-- Checks whether the caller may sign up one more seller. Raises RB011 when they have signed up 50, including those they gave
-- away; RB005 when they own a suspended seller, because they would go on under another name; and RB016 when one email address
-- or one network address had too many sign-ups within 24 hours. A person who is not known yet passes. SECURITY DEFINER because
-- a person sees neither counts nor why a seller is suspended.
create function check_sign_up(email text, source text) returns void
language plpgsql stable security definer
set search_path = robnu, pg_temp
as $$
declare
  person constant uuid := (select id from people where subject = app_current_subject());
begin
  if exists (
    select from members m join sellers s on s.seller_id = m.seller_id
    where m.person_id = person and m.role = 'OWNER' and s.suspended_at is not null) then
    raise exception 'the person owns a suspended seller' using errcode = 'RB005';
  end if;
  if (select count(*) from sellers where signed_up_by = person) >= 50 then
    raise exception 'a person signs up at most 50 sellers' using errcode = 'RB011';
  end if;
  perform refuse_sign_up(d.bound, c.began_at)
  from sign_up_digests(email, source) d join sign_up_counts c on c.digest = d.digest
  where c.began_at > now() - interval '24 hours' and c.sign_ups >= d.most;
end $$;
grant execute on function check_sign_up(text, text) to robnu_person;

-- Counts a sign-up, or refuses it as check_sign_up does. It locks both counts until the transaction ends, so that people who
-- sign up at the same time are counted against each other. Everybody locks them in the same order.
create function count_sign_up(email text, source text) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  counted record;
  count_now sign_up_counts;
begin
  if email is null or source is null then
    raise exception 'a sign-up states its email and network address' using errcode = 'insufficient_privilege';
  end if;
  for counted in select * from sign_up_digests(email, source) loop
    insert into sign_up_counts as c (digest, began_at, sign_ups) values (counted.digest, now(), 1)
      on conflict (digest) do update
      set began_at = case when c.began_at > now() - interval '24 hours' then c.began_at else excluded.began_at end,
        sign_ups = case when c.began_at > now() - interval '24 hours' then c.sign_ups + 1 else 1 end
      returning * into count_now;
    if count_now.sign_ups > counted.most then
      perform refuse_sign_up(counted.bound, count_now.began_at);
    end if;
  end loop;
end $$;

-- Sign-up: makes the person, the seller, its first OWNER and its wrapped data key, all or nothing. SECURITY DEFINER because no
-- scope that a client can reach may insert sellers or memberships: a person may only become the OWNER of a seller that did not
-- exist before this statement.
create function sign_up_seller(seller uuid, seller_name text, person_email text, key_id uuid, wrapped_key bytea, kms_key_id text,
  source text)
returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  person uuid;
begin
  insert into people (subject, email) values (app_current_subject(), person_email)
    on conflict (subject) do update set email = excluded.email where people.email <> excluded.email;
  select id into strict person from people where subject = app_current_subject() for no key update;
  perform check_sign_up(person_email, source);
  perform count_sign_up(person_email, source);
  perform set_config('app.actor_id', person::text, true);
  insert into sellers (seller_id, org_id, name, signed_up_by) select seller, id, seller_name, person from orgs order by created_at, id limit 1;
  insert into members (seller_id, person_id, role) values (seller, person, 'OWNER');
  insert into seller_keys (seller_id, id, wrapped_key, kms_key_id) values (seller, key_id, wrapped_key, kms_key_id);
end $$;
grant execute on function sign_up_seller(uuid, text, text, uuid, bytea, text, text) to robnu_person;

-- The end of a sign-up where sellers have KMS keys of their own: stores the new seller's data key as its own KMS key has wrapped it.
-- SECURITY DEFINER because no scope that a client can reach may write data keys: a person may only replace the wrapping of a key
-- that their own sign-up has just made and that nobody has wrapped anew. After the lease this is the sweep's work.
create function rewrap_new_key(new_seller uuid, data_key uuid, seen bytea, wrapped bytea, wrapped_by text) returns void
language sql security definer
set search_path = robnu, pg_temp
as $$
  update seller_keys k
  set wrapped_key = wrapped, kms_key_id = wrapped_by
  where k.seller_id = new_seller and k.id = data_key and k.wrapped_key = seen and k.lease_expires_at > now()
    and exists (
      select from sellers s join people p on p.id = s.signed_up_by
      where s.seller_id = new_seller and p.subject = app_current_subject())
$$;
grant execute on function rewrap_new_key(uuid, uuid, bytea, bytea, text) to robnu_person;

grant execute on function app_current_subject(), raise_no_scope(text) to robnu_person, robnu_tenant;
grant execute on function app_current_seller_id(), app_may(text), app_may_any(text[]), app_role_rights(text) to robnu_tenant;

-- What the API keeps about requests: rate limits, and the responses to requests that carried an idempotency key.
set local role robnu_owner;
set local search_path = robnu;

-- Requests in the current window of ten seconds, by member, so that one member cannot keep the others out. Unlogged: a crash
-- loses them, which does no harm.
create unlogged table request_counts (
  seller_id uuid not null references sellers (seller_id) on delete cascade,
  person_id uuid not null references people (id) on delete cascade,
  window_start timestamptz not null,
  requests integer not null,
  -- Until when the member's requests are refused. It is computed when a request is counted, so that scope entry reads one row
  -- and adds nothing up.
  refused_until timestamptz,
  primary key (seller_id, person_id)
) with (fillfactor = 50);
create index request_counts_by_person on request_counts (person_id);
call protect_tenant_table('request_counts');
grant select on request_counts to robnu_tenant;

-- All requests of a person: to any seller, to none, or to one that they are not a member of.
create unlogged table person_requests (
  subject text primary key check (length(subject) between 1 and 200),
  window_start timestamptz not null,
  requests integer not null,
  day date not null default (now() at time zone 'utc')::date,
  requests_today integer not null default 1,
  refused_until timestamptz
) with (fillfactor = 50);
alter table person_requests enable row level security;
alter table person_requests force row level security;
create policy owner on person_requests for all to robnu_owner using (true) with check (true);

-- Whether a person is a newcomer: neither staff nor in a seller that has an account whose credentials a marketplace has accepted.
-- It is asked only of persons who have sent as many requests as a newcomer may, so that it costs the others nothing.
create function is_newcomer(subject text) returns boolean
language plpgsql stable
set search_path = robnu, pg_temp
as $$
begin
  return not exists (select from staff a where a.subject = is_newcomer.subject and a.removed_at is null)
    and not exists (
      select from people p
      join members m on m.person_id = p.id
      join marketplace_accounts a on a.seller_id = m.seller_id and a.verified_at is not null
      where p.subject = is_newcomer.subject);
end $$;

-- Counts a request: for the person, and for the seller when they are a member of it, so that strangers cannot use up a seller's
-- requests. The API calls it in a transaction of its own, when the request's own transaction has ended, so that nobody waits for
-- anybody's work. It decides whether the next request is refused. SECURITY DEFINER because no scope may write the counts.
create function count_request(subject text, seller uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
#variable_conflict use_column
declare
  present constant timestamptz := date_bin('10 seconds', now(), 'epoch');
  today constant date := (now() at time zone 'utc')::date;
  in_window integer;
  in_day integer;
  of_newcomers integer;
  sent bigint;
  sent_today integer;
  person uuid;
  sent_by_others bigint;
  others bigint;
  allowed integer;
begin
  select max(person_requests_per_window), max(person_requests_per_day), max(newcomer_requests_per_day)
    into in_window, in_day, of_newcomers from orgs;
  insert into person_requests as counted (subject, window_start, requests, day, requests_today)
  values (count_request.subject, present, 1, today, 1)
  on conflict (subject) do update
  set window_start = excluded.window_start, day = excluded.day,
    requests = case counted.window_start when excluded.window_start then counted.requests + 1 else 1 end,
    requests_today = case counted.day when excluded.day then counted.requests_today + 1 else 1 end
  returning requests, requests_today into sent, sent_today;
  if sent_today >= of_newcomers and sent_today < in_day and is_newcomer(count_request.subject) then
    in_day := of_newcomers;
  end if;
  if sent_today >= in_day or sent >= in_window then
    update person_requests p
    set refused_until = case when sent_today >= in_day then (today + 1)::timestamp at time zone 'utc'
      else present + interval '10 seconds' end
    where p.subject = count_request.subject;
  end if;

  insert into request_counts as counted (seller_id, person_id, window_start, requests)
  select m.seller_id, m.person_id, present, 1
  from members m join people p on p.id = m.person_id
  where m.seller_id = seller and p.subject = count_request.subject
  on conflict (seller_id, person_id) do update
  set window_start = excluded.window_start,
    requests = case counted.window_start when excluded.window_start then counted.requests + 1 else 1 end
  returning requests, person_id into sent, person;
  if person is null then
    return;
  end if;
  -- Members share the seller's requests. A member below an equal share is let in, however much the others send.
  select coalesce(sum(c.requests), 0), count(*) into sent_by_others, others
    from request_counts c
    where c.seller_id = seller and c.person_id <> person and c.window_start = present;
  select s.requests_per_window into allowed from sellers s where s.seller_id = seller;
  if sent + sent_by_others >= allowed and (sent + 1) * (others + 1) > allowed then
    update request_counts c set refused_until = present + interval '10 seconds' where c.seller_id = seller and c.person_id = person;
  end if;
end $$;
grant execute on function count_request(text, uuid) to robnu_api;

-- Responses to POST requests, each kept for the actor who sent it. The key is stored only as a hash, and the request only as a
-- hash under the key.
create table idempotency_keys (
  seller_id uuid not null references sellers (seller_id),
  actor_id uuid not null,
  key_hash bytea not null check (length(key_hash) = 32),
  request_digest bytea not null check (length(request_digest) = 32),
  status integer,
  body text,
  created_at timestamptz not null default now(),
  primary key (seller_id, actor_id, key_hash)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
call protect_tenant_table('idempotency_keys');
create policy own on idempotency_keys as restrictive for all to robnu_tenant
  using (actor_id = (select nullif(current_setting('app.actor_id', true), '')::uuid))
  with check (actor_id = (select nullif(current_setting('app.actor_id', true), '')::uuid));
grant select, insert (seller_id, actor_id, key_hash, request_digest), update (request_digest, status, body, created_at)
  on idempotency_keys to robnu_tenant;

-- The same for requests that name no seller: sign-up, accepting an invitation, staff routes.
create table person_idempotency_keys (
  subject text not null,
  key_hash bytea not null check (length(key_hash) = 32),
  request_digest bytea not null check (length(request_digest) = 32),
  status integer,
  body text,
  created_at timestamptz not null default now(),
  primary key (subject, key_hash)
);
create index person_idempotency_keys_by_age on person_idempotency_keys (created_at);
alter table person_idempotency_keys enable row level security;
alter table person_idempotency_keys force row level security;
create policy self on person_idempotency_keys for all to robnu_person, robnu_staff
  using (subject = (select app_current_subject())) with check (subject = (select app_current_subject()));
create policy owner on person_idempotency_keys for all to robnu_owner using (true) with check (true);
grant select, insert (subject, key_hash, request_digest), update (request_digest, status, body, created_at)
  on person_idempotency_keys to robnu_person, robnu_staff;

-- Takes a key for this request, or raises RB007 when the key was used in the last 24 hours. A second request at the same time
-- waits until the first has committed.
create function claim_idempotency_key(hash bytea, digest bytea) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('app.current_seller_id', true) = '' then
    -- A request without a seller is bounded by what it does: signing sellers up, accepting invitations.
    insert into robnu.person_idempotency_keys as known (subject, key_hash, request_digest)
    values (robnu.app_current_subject(), hash, digest)
    on conflict (subject, key_hash) do update
    set request_digest = excluded.request_digest, status = null, body = null, created_at = now()
    where known.created_at < now() - interval '24 hours';
  else
    perform robnu.count_change();
    insert into robnu.idempotency_keys as known (seller_id, actor_id, key_hash, request_digest)
    values (robnu.app_current_seller_id(), nullif(current_setting('app.actor_id', true), '')::uuid, hash, digest)
    on conflict (seller_id, actor_id, key_hash) do update
    set request_digest = excluded.request_digest, status = null, body = null, created_at = now()
    where known.created_at < now() - interval '24 hours';
  end if;
  if not found then
    raise exception 'the idempotency key was used before' using errcode = 'RB007';
  end if;
end $$;
grant execute on function claim_idempotency_key(bytea, bytea) to robnu_tenant, robnu_person, robnu_staff;
grant execute on function count_change() to robnu_tenant;

-- Checks of credentials that people ask for. They are counted over all sellers, so that nobody guesses passwords through the
-- platform. The bounds are in credential_checks_wait.
--
-- Each check is a row that is committed before the marketplace is asked, and counts as refused from then on. The marketplace's
-- response takes the count back or leaves it. So concurrent requests cannot exceed a bound. A crash between the two leaves one
-- refused check, which is neither a free guess nor an endless wait.
set local role robnu_owner;
set local search_path = robnu;

create table credential_checks (
  id uuid primary key default uuidv7(),
  marketplace_code text not null references marketplaces (code),
  -- A digest of the user name at the marketplace, under a key that is not in the database: the count tells nobody who has an
  -- account. Null when there is no user name whose password could be guessed, as after a consent.
  login_digest bytea check (length(login_digest) = 32),
  -- The account. It need not exist yet.
  account_id uuid not null,
  -- The person or staff member, or the account whose job asked.
  actor_id uuid not null,
  outcome text not null default 'ASKING' check (outcome in ('ASKING', 'REFUSED', 'ACCEPTED', 'UNANSWERED')),
  -- The check was refused before the same actor was accepted with the same user name: a typing error and not a guess.
  is_forgiven boolean not null default false,
  created_at timestamptz not null default now()
);
create index credential_checks_by_login on credential_checks (login_digest, created_at) where login_digest is not null;
create index credential_checks_by_account on credential_checks (account_id, created_at);
create index credential_checks_by_actor on credential_checks (actor_id, created_at);
create index credential_checks_by_marketplace on credential_checks (marketplace_code, created_at);
create index credential_checks_by_age on credential_checks (created_at);
alter table credential_checks enable row level security;
alter table credential_checks force row level security;
create policy owner on credential_checks for all to robnu_owner using (true) with check (true);

-- A digest of the user name that the marketplace accepted last, so that strangers who try that name do not keep its owner waiting.
alter table marketplace_accounts add column verified_login_digest bytea check (length(verified_login_digest) = 32);
create index marketplace_accounts_by_login on marketplace_accounts (verified_login_digest)
  where verified_login_digest is not null and status <> 'DISCONNECTED';

-- Returns how long a caller waits after so many refusals: not at all below the bound, then a quarter of an hour since the newest
-- check, doubled by each further one, at most a day. Checks in progress may still be refused: a caller who would exceed the bound
-- with them waits five seconds for their results.
create function credential_check_wait(refused bigint, with_asking bigint, newest timestamptz, bound integer) returns interval
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when with_asking < bound then interval '0'
  when refused < bound then interval '5 seconds'
  else greatest(newest + least(interval '15 minutes' * power(2, least(with_asking - bound, 7)), interval '24 hours') - now(), interval '0')
end;

-- Returns how long the caller waits before it may ask the marketplace: the longest wait of any bound. All bounds are here. A caller
-- who is exempt is not bound by others' checks of the same user name.
create function credential_checks_wait(marketplace text, login bytea, account uuid, actor uuid, is_exempt boolean) returns interval
language sql stable
set search_path = robnu, pg_temp
as $$
  select greatest(
    -- 5 of a user name in a week, over all sellers.
    (select credential_check_wait(count(*) filter (where outcome = 'REFUSED' or created_at < now() - interval '1 minute'), count(*), max(created_at), 5)
     from credential_checks
     where login_digest = login and not is_exempt and outcome in ('ASKING', 'REFUSED') and not is_forgiven
       and created_at > now() - interval '7 days'),
    -- 5 of an account in a week.
    (select credential_check_wait(count(*) filter (where outcome = 'REFUSED' or created_at < now() - interval '1 minute'), count(*), max(created_at), 5)
     from credential_checks
     where account_id = account and outcome in ('ASKING', 'REFUSED') and not is_forgiven and created_at > now() - interval '7 days'),
    -- 20 of a person in a day, over all sellers and user names, forgiven ones too.
    (select credential_check_wait(count(*) filter (where outcome = 'REFUSED' or created_at < now() - interval '1 minute'), count(*), max(created_at), 20)
     from credential_checks
     where actor_id = actor and outcome in ('ASKING', 'REFUSED') and created_at > now() - interval '1 day'),
    -- 240 of a person in an hour, however they end, because the marketplace sees successful ones as well.
    (select case when count(*) >= 240 then min(created_at) + interval '1 hour' - now() else interval '0' end
     from credential_checks where actor_id = actor and created_at > now() - interval '1 hour'),
    -- 200 of everybody in an hour at one marketplace; the last 80 are kept for actors who were not refused within a day.
    (select case
       when count(*) >= 200 or (count(*) >= 120 and exists (
         select from credential_checks own
         where own.actor_id = actor and own.created_at > now() - interval '1 day'
           and (own.outcome = 'REFUSED' or (own.outcome = 'ASKING' and own.created_at < now() - interval '1 minute'))))
       then min(created_at) + interval '1 hour' - now() else interval '0' end
     from credential_checks
     where marketplace_code = marketplace and outcome in ('ASKING', 'REFUSED') and created_at > now() - interval '1 hour'))
$$;

-- Counts a check that is about to be made. Returns 0 when the caller may ask once its transaction is committed; the caller then ends
-- the check with end_credential_check. Otherwise returns the seconds that it must wait, and counts nothing. SECURITY DEFINER because
-- no scope may see or write counts of other sellers; the function checks what policies would have checked. It locks the marketplace,
-- so that concurrent checks are counted against each other.
create function begin_credential_check(new_check uuid, marketplace text, login bytea, account uuid) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  actor constant uuid := nullif(current_setting('app.actor_id', true), '')::uuid;
  is_job constant boolean := app_may('ingest');
  wait interval;
begin
  if not (is_job or app_may('accounts.manage')) then
    raise exception 'the scope may not check credentials' using errcode = 'insufficient_privilege';
  end if;
  -- No other seller's checks may count for this account.
  if is_job and account is distinct from actor
    or exists (select from marketplace_accounts a where a.id = account and a.seller_id <> app_current_seller_id())
  then
    raise exception 'credentials are checked for accounts of the seller only' using errcode = 'RB002';
  end if;
  perform from marketplaces where code = marketplace for no key update;
  -- An actor whose credentials with this user name were accepted before does not wait for strangers' checks. Credentials that a job
  -- checks were accepted before.
  wait := credential_checks_wait(marketplace, login, account, actor, exists (
    select from marketplace_accounts a
    where a.seller_id = app_current_seller_id() and a.id = account and a.verified_at is not null
      and (is_job or a.verified_login_digest = login)));
  if wait > interval '0' then
    return ceil(extract(epoch from wait));
  end if;
  insert into credential_checks (id, marketplace_code, login_digest, account_id, actor_id) values (new_check, marketplace, login, account, actor);
  return 0;
end $$;
grant execute on function begin_credential_check(uuid, text, bytea, uuid) to robnu_tenant;

-- One login may be behind 10 connected accounts, over all sellers: each has a lane, and a single working login could otherwise make
-- any number of them. The function locks the marketplace, so that concurrent connections are counted against each other.
create function refuse_login_in_many_accounts(marketplace text, login bytea, account uuid) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
begin
  perform from marketplaces where code = marketplace for no key update;
  if (select count(*) from marketplace_accounts a
      where a.verified_login_digest = login and a.status <> 'DISCONNECTED' and a.id <> account) >= 10 then
    raise exception 'the login is behind too many accounts' using errcode = 'check_violation', constraint = 'marketplace_accounts_of_login';
  end if;
end $$;

-- Records what the marketplace said: ACCEPTED, REFUSED, or UNANSWERED, which takes the count back; or UNCHECKABLE when there was
-- nothing to ask. When a member's check is accepted, the account records it, and earlier refusals of the same actor for the same
-- user name are forgiven. Others' refusals are not, so a guesser gains nothing when the owner enters the right password. SECURITY
-- DEFINER for the same reason. Only the actor who began a check can end it, once.
create function end_credential_check(check_id uuid, answer text) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  ended record;
begin
  update credential_checks c set outcome = case answer when 'UNCHECKABLE' then 'UNANSWERED' else answer end
  where c.id = check_id and c.outcome = 'ASKING' and c.actor_id = nullif(current_setting('app.actor_id', true), '')::uuid
    and app_may_any('accounts.manage', 'ingest')
  returning c.actor_id, c.account_id, c.login_digest, c.marketplace_code into ended;
  if not found then
    return;
  end if;
  if answer = 'ACCEPTED' then
    update credential_checks c set is_forgiven = true
    where c.login_digest = ended.login_digest and c.actor_id = ended.actor_id and c.outcome = 'REFUSED' and not c.is_forgiven;
  end if;
  -- The run ledger records what a job found out; it knows whether the credentials are still the same.
  if answer not in ('ACCEPTED', 'UNCHECKABLE') or not app_may('accounts.manage') then
    return;
  end if;
  if ended.login_digest is not null and answer = 'ACCEPTED' then
    perform refuse_login_in_many_accounts(ended.marketplace_code, ended.login_digest, ended.account_id);
  end if;
  update marketplace_accounts a
  set verified_at = case answer when 'ACCEPTED' then coalesce(a.verified_at, now()) end,
    verified_login_digest = case answer when 'ACCEPTED' then ended.login_digest end,
    last_validated_at = case answer when 'ACCEPTED' then now() end, last_validation = case answer when 'ACCEPTED' then 'OK' end
  where a.seller_id = app_current_seller_id() and a.id = ended.account_id;
  if found and answer = 'ACCEPTED' then
    insert into credential_events (seller_id, account_id, event) values (app_current_seller_id(), ended.account_id, 'VALIDATED');
  end if;
end $$;
grant execute on function end_credential_check(uuid, text) to robnu_tenant;

-- Counts a run whose credentials were refused. Nobody asked for this check, so no bound holds it back, but it counts against the
-- next person who asks. SECURITY DEFINER for the same reason.
create function note_refused_credentials(marketplace text, login bytea, account uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('ingest') or account is distinct from nullif(current_setting('app.actor_id', true), '')::uuid then
    raise exception 'a job records refusals of its own account only' using errcode = 'insufficient_privilege';
  end if;
  insert into credential_checks (marketplace_code, login_digest, account_id, actor_id, outcome)
  values (marketplace, login, account, account, 'REFUSED');
end $$;
grant execute on function note_refused_credentials(text, bytea, uuid) to robnu_tenant;

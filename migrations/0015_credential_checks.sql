-- Checks of credentials that people ask for, counted over all sellers, so that nobody guesses passwords through the platform.
--
-- Each check is a row that is written and committed before the marketplace is asked, and counts as a refused one from then on.
-- The answer takes the count back or leaves it. So requests at the same time cannot exceed a bound, and a crash between the two
-- leaves one refused check: neither a free guess nor a wait without an end.
set local role robnu_owner;
set local search_path = robnu;

create table credential_checks (
  id uuid primary key default uuidv7(),
  marketplace_code text not null references marketplaces (code),
  -- Of the user name at the marketplace, under a key that is not in the database: the count tells nobody who has an account.
  -- Null where there is no user name that could be guessed for, as after a consent.
  login_digest bytea check (length(login_digest) = 32),
  -- The account, which need not be there yet.
  account_id uuid not null,
  -- The person or staff member, or the account whose job asked.
  actor_id uuid not null,
  outcome text not null default 'ASKING' check (outcome in ('ASKING', 'REFUSED', 'ACCEPTED', 'UNANSWERED')),
  -- Refused before the same actor was accepted with the same user name: a slip of the finger, no guess.
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

-- Which user name the marketplace took last, so that strangers who try it keep nobody waiting who has it.
alter table marketplace_accounts add column verified_login_digest bytea check (length(verified_login_digest) = 32);
create index marketplace_accounts_by_login on marketplace_accounts (verified_login_digest)
  where verified_login_digest is not null and status <> 'DISCONNECTED';

-- For how long who was refused that often waits: nothing below the bound, then a quarter of an hour since the newest check,
-- twice as long with each further one, a day at most. Below the bound those that are being asked may still be refused: who would
-- exceed it with them waits for their answers.
create function credential_check_wait(refused bigint, with_asking bigint, newest timestamptz, bound integer) returns interval
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when with_asking < bound then interval '0'
  when refused < bound then interval '5 seconds'
  else greatest(newest + least(interval '15 minutes' * power(2, least(with_asking - bound, 7)), interval '24 hours') - now(), interval '0')
end;

-- How long the caller waits before it may ask the marketplace: the longest that any bound says. All numbers stand here.
-- "Exempt" is who is not bound by what others did to the same user name.
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
    -- 240 of a person in an hour, however they end: the marketplace sees those that succeed as well.
    (select case when count(*) >= 240 then min(created_at) + interval '1 hour' - now() else interval '0' end
     from credential_checks where actor_id = actor and created_at > now() - interval '1 hour'),
    -- 200 of all together in an hour at one marketplace; the last 80 of them are kept for who was not refused within a day.
    (select case
       when count(*) >= 200 or (count(*) >= 120 and exists (
         select from credential_checks own
         where own.actor_id = actor and own.created_at > now() - interval '1 day'
           and (own.outcome = 'REFUSED' or (own.outcome = 'ASKING' and own.created_at < now() - interval '1 minute'))))
       then min(created_at) + interval '1 hour' - now() else interval '0' end
     from credential_checks
     where marketplace_code = marketplace and outcome in ('ASKING', 'REFUSED') and created_at > now() - interval '1 hour'))
$$;

-- Counts a check that is about to be made. Answers for how many seconds the caller must wait instead, or 0: then it may ask once
-- its transaction is committed, and is to end the check with end_credential_check. Who is not let in is not counted.
-- SECURITY DEFINER because no scope may see or write counts of other sellers. What policies would have checked is checked here.
-- It holds the marketplace, so that those who come at the same time count each other.
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
  -- Nobody is kept waiting by what is counted for their account elsewhere.
  if is_job and account is distinct from actor
    or exists (select from marketplace_accounts a where a.id = account and a.seller_id <> app_current_seller_id())
  then
    raise exception 'credentials are checked for accounts of the seller only' using errcode = 'RB002';
  end if;
  perform from marketplaces where code = marketplace for no key update;
  -- Whose credentials with this user name were good before is not kept waiting by strangers. What a job checks was good before.
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

-- One login is behind 10 accounts that are connected, over all sellers: for each there is a lane, and a single working login would
-- otherwise be good for any number of them. Holds the marketplace, so that those who come at the same time count each other.
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

-- Writes down what the marketplace said: ACCEPTED, REFUSED, or UNANSWERED, which takes the count back; and UNCHECKABLE where there was
-- nothing to ask it. What was accepted of a member's making is noted with the account, and what the same actor mistyped for the
-- same user name is forgiven. Others' checks are not: whoever guesses gets nothing from it that the owner knows the password.
-- SECURITY DEFINER for the same reason; only who began a check ends it, once.
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
  -- What a job found out is in the ledger of runs, which knows whether the credentials are the same still.
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

-- Counts that an account's run was refused, which nobody asked for: it is not bound by counts, and counts for who asks next.
-- SECURITY DEFINER for the same reason.
create function note_refused_credentials(marketplace text, login bytea, account uuid) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  if not app_may('ingest') or account is distinct from nullif(current_setting('app.actor_id', true), '')::uuid then
    raise exception 'a job notes what it was told of its own account only' using errcode = 'insufficient_privilege';
  end if;
  insert into credential_checks (marketplace_code, login_digest, account_id, actor_id, outcome)
  values (marketplace, login, account, account, 'REFUSED');
end $$;
grant execute on function note_refused_credentials(text, bytea, uuid) to robnu_tenant;

-- The bounds on how often accounts' lanes may be opened again. The lanes themselves are columns of marketplace_accounts (0008_accounts.sql).
set local role robnu_owner;
set local search_path = robnu;

-- One row for each time that an account without an active lane wants one again, because it was resumed or connected again. AWS calls
-- then make or enable a queue and a mapping, and take them back later; all lanes together have only a few such calls a second.
create table lane_openings (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  -- The member who caused it; null where staff did.
  person_id uuid references people (id),
  -- Whether this is the account's third opening, or a later one, within 24 hours.
  is_repeated boolean not null,
  opened_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
create index lane_openings_by_account on lane_openings (seller_id, account_id, opened_at);
create index lane_openings_repeated on lane_openings (seller_id, opened_at) where is_repeated;
create index lane_openings_by_person on lane_openings (person_id, opened_at);
create index lane_openings_by_age on lane_openings (opened_at);
call protect_tenant_table('lane_openings');

-- Refuses one opening too many, with RB016 and the seconds until there is room again. The bounds within 24 hours are 20 of an
-- account and, of those beyond each account's second, 100 of a seller and 100 of a member over all their sellers. So a seller may
-- pause and resume all accounts, however many they are, and nobody keeps others' lanes waiting. Closing a lane is never refused.
-- SECURITY DEFINER because no scope may write the count or see that of other sellers. It locks the seller and the person, so that
-- concurrent openings are counted against each other.
create function limit_lane_openings() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  day constant timestamptz := now() - interval '24 hours';
  person constant uuid := case when current_setting('app.actor_kind', true) = 'MEMBER' then
    nullif(current_setting('app.actor_id', true), '')::uuid end;
  opened timestamptz[];
  repeated timestamptz[];
begin
  -- Only members' and staff's changes count, not those of jobs and of the lanes function.
  if not (app_may('accounts.manage') and new.seller_id = app_current_seller_id())
    or lane_wanted(old.status, old.verified_at, old.refused_since) = 'ACTIVE'
    or lane_wanted(new.status, new.verified_at, new.refused_since) <> 'ACTIVE'
  then
    return new;
  end if;
  perform from sellers where seller_id = new.seller_id for no key update;
  perform from people where id = person for no key update;
  opened := array(
    select opened_at from lane_openings
    where seller_id = new.seller_id and account_id = new.id and opened_at > day order by opened_at desc limit 20);
  if cardinality(opened) = 20 then
    perform refuse_lane_opening('marketplace_accounts_openings', opened[20]);
  end if;
  if cardinality(opened) >= 2 then
    repeated := array(
      select opened_at from lane_openings
      where seller_id = new.seller_id and is_repeated and opened_at > day order by opened_at desc limit 100);
    if cardinality(repeated) = 100 then
      perform refuse_lane_opening('marketplace_accounts_openings_of_seller', repeated[100]);
    end if;
    repeated := array(
      select opened_at from lane_openings
      where person_id = person and is_repeated and opened_at > day order by opened_at desc limit 100);
    if cardinality(repeated) = 100 then
      perform refuse_lane_opening('marketplace_accounts_openings_of_person', repeated[100]);
    end if;
  end if;
  insert into lane_openings (seller_id, account_id, person_id, is_repeated)
  values (new.seller_id, new.id, person, cardinality(opened) >= 2);
  return new;
end $$;
create function refuse_lane_opening(bound text, first_of_day timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'too many lanes are opened again' using errcode = 'RB016', constraint = bound,
    detail = ceil(extract(epoch from first_of_day + interval '24 hours' - now()));
end $$;
-- Triggers fire in the order of their names, so this one fires after keep_standing and sees its result.
create trigger limit_lane_openings before update of status, last_validation, credentials_generation on marketplace_accounts
  for each row when (old.status <> new.status or old.verified_at is distinct from new.verified_at
    or old.refused_since is distinct from new.refused_since)
  execute function limit_lane_openings();

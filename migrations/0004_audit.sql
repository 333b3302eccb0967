-- The audit trail: who did what. Only triggers write it, so no code path can leave it out.
set local role robnu_owner;
set local search_path = robnu;

create table audit_events (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  occurred_at timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('MEMBER', 'STAFF', 'JOB', 'PERSON', 'SYSTEM')),
  -- The person, the staff member or the account, as actor_kind says.
  actor_id uuid,
  -- A person's email address at that time: the trail neither forgets a person who has left nor follows their new address.
  actor_email text,
  impersonation_session_id uuid,
  -- A noun and a verb, such as account.changed.
  action text not null,
  object_id uuid,
  -- The names of the changed columns, and the values of those that are harmless to show.
  changed text[] not null default '{}',
  shown jsonb not null default '{}',
  primary key (seller_id, id)
);
-- A list goes by time, also when it is narrowed to an object, an actor or an action.
create index audit_events_by_time on audit_events (seller_id, occurred_at desc, id desc);
create index audit_events_by_object on audit_events (seller_id, object_id, occurred_at desc, id desc);
create index audit_events_by_actor on audit_events (seller_id, actor_id, occurred_at desc, id desc);
create index audit_events_by_action on audit_events (seller_id, action collate "C", occurred_at desc, id desc);
-- The first index counts what a person did before more is written. The other two find what is old enough to be deleted; jobs'
-- events and others are kept for different times.
create index audit_events_by_hand on audit_events (seller_id, object_id, actor_id, occurred_at)
  where actor_kind in ('MEMBER', 'STAFF', 'PERSON');
create index audit_events_of_jobs_by_age on audit_events (occurred_at) where actor_kind = 'JOB';
create index audit_events_by_age on audit_events (occurred_at) where actor_kind <> 'JOB';
call protect_tenant_table('audit_events');
call require_right_to_read('audit_events', 'audit.read');
grant select on audit_events to robnu_tenant;

-- How many lasting rows each person has made today, over all their sellers. Unlogged: a crash loses the count, which does no harm.
create unlogged table person_changes (
  actor_id uuid primary key,
  day date not null,
  changes integer not null
) with (fillfactor = 50);
alter table person_changes enable row level security;
alter table person_changes force row level security;
create policy owner on person_changes for all to robnu_owner using (true) with check (true);

-- Counts a row that a person makes and that is not deleted the same day: an audit event, an idempotency key. Raises RB012 above
-- 20,000 on an Indian day, which is ten times what a busy person does by hand. There is one row per person, so counting costs
-- the same however much there is. Nobody waits for the count, because a writer holds other rows by then, each in an order of its
-- own; what a person does while another of their transactions holds the count is not counted. SECURITY DEFINER because no scope
-- may read or write the counts.
create function count_change() returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  kind constant text := nullif(current_setting('app.actor_kind', true), '');
  actor constant uuid := nullif(current_setting('app.actor_id', true), '')::uuid;
  today constant date := (now() at time zone 'Asia/Kolkata')::date;
  so_far integer;
begin
  -- Schedules, runs and returns already bound what jobs and sweeps write: one opening of credentials per attempt of a run, one
  -- claim per return.
  if actor is null or kind is null or kind not in ('MEMBER', 'STAFF', 'PERSON') then
    return;
  end if;
  update person_changes as counted
  set day = today, changes = case counted.day when today then counted.changes + 1 else 1 end
  where counted.ctid = (select c.ctid from person_changes c where c.actor_id = actor for update skip locked)
  returning changes into so_far;
  if not found and not exists (select from person_changes c where c.actor_id = actor) then
    insert into person_changes (actor_id, day, changes) values (actor, today, 1) on conflict (actor_id) do nothing;
  end if;
  if so_far > 20000 then
    raise exception 'the person has changed too much today' using errcode = 'RB012';
  end if;
end $$;

-- Raises RB012 when a person has changed an object 100 times within 24 hours. It reads at most 100 entries of the index. The bound
-- is per person, so that nobody uses it up for others: a person who changes a member's role all day does not keep an owner from
-- removing that member. Requests at the same moment do not see each other, so a few more than 100 can pass.
create function refuse_churn(seller uuid, object uuid, actor uuid) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
begin
  if (
    select count(*) from (
      select from audit_events e
      where e.seller_id = seller and e.object_id = object and e.actor_id = actor
        and e.actor_kind in ('MEMBER', 'STAFF', 'PERSON') and e.occurred_at > now() - interval '1 day'
      limit 100
    ) today) >= 100
  then
    raise exception 'the person has changed the object too often today' using errcode = 'RB012';
  end if;
end $$;

-- Writes one event for the actor of the transaction, unless the actor has made too many changes today, in all or to this object.
-- Only functions of the owner may execute it.
create function write_audit_event(seller uuid, action text, object_id uuid, changed text[], shown jsonb) returns void
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  kind constant text := coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM');
  actor constant uuid := nullif(current_setting('app.actor_id', true), '')::uuid;
begin
  if kind in ('MEMBER', 'STAFF', 'PERSON') then
    perform count_change(), refuse_churn(seller, object_id, actor);
  end if;
  insert into audit_events
    (seller_id, actor_kind, actor_id, actor_email, impersonation_session_id, action, object_id, changed, shown)
  values (seller, kind, actor, (select email from people where id = actor and kind in ('MEMBER', 'PERSON')),
    nullif(current_setting('app.impersonation_session', true), '')::uuid, action, object_id, changed, shown);
end $$;

-- Writes one event per changed row. Arguments: the noun, the column that names the object, the columns whose values are shown.
-- SECURITY DEFINER because no scope may write events of its own making.
create function audit_row() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  before jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
  after jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  changed text[];
begin
  if tg_op = 'UPDATE' then
    select coalesce(array_agg(key order by key), '{}') into changed
    from jsonb_each(after) where value is distinct from before -> key and key not in ('updated_at', 'version');
    if changed = '{}' then
      return null;
    end if;
  end if;
  perform write_audit_event(
    (after ->> 'seller_id')::uuid,
    tg_argv[0] || case tg_op when 'INSERT' then '.created' when 'UPDATE' then '.changed' else '.removed' end,
    (after ->> tg_argv[1])::uuid, coalesce(changed, '{}'),
    (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(after) where key = any (tg_argv[2:])));
  return null;
end $$;

-- Attaches the trail to a table. Arguments: the events (such as 'insert or update of status'), the noun, the column that names
-- the object, and the columns whose values may be shown: never a secret, never anything about a customer.
create procedure audit(relation regclass, events text, noun text, object_column text, variadic shown text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create trigger audit after %s on %s for each row execute function robnu.audit_row(%s)', events, relation,
    (select string_agg(quote_literal(argument), ', ') from unnest(array[noun, object_column] || shown) as argument));
end $$;

call audit('sellers', 'insert or update of name, suspended_at, suspension_reason, closing_asked_at, closes_at, closed_at', 'seller', 'seller_id',
  'name', 'suspended_at', 'suspension_reason', 'closing_asked_at', 'closes_at', 'closed_at');
call audit('seller_claim_terms', 'insert or update', 'claim_terms', 'id',
  'marketplace_code', 'reason', 'missing_after_days', 'file_by_days');
call audit('members', 'insert or update or delete', 'member', 'id', 'person_id', 'role', 'scan_returns');

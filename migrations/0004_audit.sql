-- The audit trail: who did what. Written by triggers, so that no code path can leave it out, and by nothing else.
set local role robnu_owner;
set local search_path = robnu;

create table audit_events (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  occurred_at timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('MEMBER', 'STAFF', 'JOB', 'PERSON', 'SYSTEM')),
  -- The person, the super admin or the account, as actor_kind says.
  actor_id uuid,
  -- Of a person, as it was then: the trail neither forgets who has left nor follows them.
  actor_email text,
  impersonation_session_id uuid,
  -- A noun and a verb, such as account.changed.
  action text not null,
  object_id uuid,
  -- Which columns were changed, and what harmless ones hold now.
  changed text[] not null default '{}',
  shown jsonb not null default '{}',
  primary key (seller_id, id)
);
create index audit_events_by_object on audit_events (seller_id, object_id, id desc);
call protect_tenant_table('audit_events');
call require_right_to_read('audit_events', 'audit.read');
grant select on audit_events to robnu_tenant;

-- Writes one event for the actor of the transaction. For the functions below; nobody else may execute it.
create function write_audit_event(seller uuid, action text, object_id uuid, changed text[], shown jsonb) returns void
language sql
set search_path = robnu, pg_temp
as $$
  insert into audit_events
    (seller_id, actor_kind, actor_id, actor_email, impersonation_session_id, action, object_id, changed, shown)
  select seller, actor.kind, actor.id, (select email from people where id = actor.id and actor.kind in ('MEMBER', 'PERSON')),
    nullif(current_setting('app.impersonation_session', true), '')::uuid, action, object_id, changed, shown
  from (
    select coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM') as kind,
      nullif(current_setting('app.actor_id', true), '')::uuid as id
  ) actor
$$;

-- One event per changed row. Arguments: the noun, the column that names the object, the columns whose values are shown.
-- SECURITY DEFINER because no scope may write events of its own making: this is the one way in.
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

-- Attaches the trail to a table: what counts (such as 'insert or update of status'), the noun, the column that names the
-- object, and the columns whose values may be shown: never a secret, never anything about a customer.
create procedure audit(relation regclass, events text, noun text, object_column text, variadic shown text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create trigger audit after %s on %s for each row execute function robnu.audit_row(%s)', events, relation,
    (select string_agg(quote_literal(argument), ', ') from unnest(array[noun, object_column] || shown) as argument));
end $$;

call audit('sellers', 'insert or update of name, claim_window_days, suspended_at, suspension_reason', 'seller', 'seller_id',
  'name', 'claim_window_days', 'suspended_at', 'suspension_reason');
call audit('members', 'insert or update or delete', 'member', 'id', 'person_id', 'role', 'scan_returns');

-- Connecting by consent (OAuth): who was sent to which marketplace's consent page, and whether they have come back.
set local role robnu_owner;
set local search_path = robnu;

create table account_authorizations (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  -- The person who was sent there. Only they may come back. The default cannot be overridden: no scope may write the column.
  actor_id uuid not null default nullif(current_setting('app.actor_id', true), '')::uuid,
  -- A hash of the state in the address of the consent page.
  state_hash bytea not null check (length(state_hash) = 32),
  marketplace_code text not null references marketplaces (code),
  -- The account that the consent must be for, when that is known before.
  external_account_id text check (length(external_account_id) between 1 and 100),
  -- The name of the new account, or else the account that is connected again.
  display_name text check (length(display_name) between 1 and 200),
  account_id uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '10 minutes',
  used_at timestamptz,
  primary key (seller_id, id),
  unique (seller_id, actor_id, state_hash),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check ((account_id is null) = (display_name is not null))
);
create index account_authorizations_by_account on account_authorizations (seller_id, account_id);
call protect_tenant_table('account_authorizations');
call require_right_to_read('account_authorizations', 'accounts.manage');
call require_right_to_write('account_authorizations', 'accounts.manage', 'insert');
create policy own on account_authorizations as restrictive for all to robnu_tenant
  using (actor_id = (select nullif(current_setting('app.actor_id', true), '')::uuid))
  with check (actor_id = (select nullif(current_setting('app.actor_id', true), '')::uuid));
call audit('account_authorizations', 'insert or update of used_at', 'authorization', 'id',
  'marketplace_code', 'external_account_id', 'account_id');
-- The hash is never read back.
grant select (seller_id, id, actor_id, marketplace_code, external_account_id, display_name, account_id, created_at, expires_at, used_at),
  insert (seller_id, id, state_hash, marketplace_code, external_account_id, display_name, account_id)
  on account_authorizations to robnu_tenant;

-- Uses a state up before anything is done with the consent that came with it, so that it works only once whatever happens next.
-- Returns no row when the state is unknown, used or expired, or was given to somebody else or for another seller; the caller cannot
-- tell these apart. SECURITY DEFINER because finding the row by its hash in an UPDATE would need the hash to be readable, and because
-- members must not write used_at themselves. The function checks what policies would have checked: the seller, the right and the
-- actor. A request that was answered before, under the idempotency key with this hash, uses nothing up and gets its response again.
create function use_authorization(hash bytea, answered_key_hash bytea)
returns table (marketplace_code text, external_account_id text, display_name text, account_id uuid)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
#variable_conflict use_column
declare
  actor uuid := nullif(current_setting('app.actor_id', true), '')::uuid;
begin
  if not app_may('accounts.manage') then
    raise exception 'the scope may not connect accounts' using errcode = 'insufficient_privilege';
  end if;
  perform from idempotency_keys k
    where k.seller_id = app_current_seller_id() and k.actor_id = actor and k.key_hash = answered_key_hash
      and k.status is not null and k.created_at > now() - interval '24 hours';
  if found then
    return;
  end if;
  return query
    update account_authorizations a set used_at = now()
    where a.seller_id = app_current_seller_id() and a.actor_id = actor and a.state_hash = hash
      and a.used_at is null and a.expires_at > now()
    returning a.marketplace_code, a.external_account_id, a.display_name, a.account_id;
end $$;
grant execute on function use_authorization(bytea, bytea) to robnu_tenant;

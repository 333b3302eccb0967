-- Access tokens of marketplace accounts, which all functions of an account share: one of them asks the marketplace for a new token,
-- under a lease, and the others use what it stored (single-flight refresh).
set local role robnu_owner;
set local search_path = robnu;

create table access_tokens (
  seller_id uuid not null,
  account_id uuid not null,
  -- The credentials that the token belongs to. Jobs with other ones never use it.
  credentials_generation integer not null,
  -- The token: the id of the renewal that fetched it, and its ciphertext under the seller's data key. Null before the first one.
  token_id uuid,
  token_enc bytea,
  issued_at timestamptz,
  -- From when on somebody fetches the next one, while the others go on with this one until it expires.
  renew_at timestamptz,
  expires_at timestamptz,
  -- The lease of the renewal that is under way. Its id is the fencing token: a holder whose lease another one has taken over stores nothing.
  renewal_id uuid,
  renewal_until timestamptz,
  -- What the last renewal met, and how long that is an answer for others: the credentials were refused, it was throttled, or there was
  -- no usable response.
  failure text check (failure in ('REFUSED', 'THROTTLED', 'UNAVAILABLE')),
  failed_until timestamptz,
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade,
  check (num_nulls(token_id, token_enc, issued_at, renew_at, expires_at) in (0, 5)),
  check ((renewal_id is null) = (renewal_until is null)),
  check ((failure is null) = (failed_until is null))
);
call protect_tenant_table('access_tokens');
call require_right_to_read('access_tokens', 'ingest', 'ingest');
call require_right_to_write('access_tokens', 'ingest', 'insert', 'update');
-- A job sees the token of its own account only.
create policy own_account on access_tokens as restrictive for all to robnu_tenant
  using (account_id = (select nullif(current_setting('app.actor_id', true), '')::uuid))
  with check (account_id = (select nullif(current_setting('app.actor_id', true), '')::uuid));
grant select,
  insert (seller_id, account_id, credentials_generation, token_id, token_enc, issued_at, renew_at, expires_at, renewal_id, renewal_until),
  update (credentials_generation, token_id, token_enc, issued_at, renew_at, expires_at, renewal_id, renewal_until, failure, failed_until)
  on access_tokens to robnu_tenant;

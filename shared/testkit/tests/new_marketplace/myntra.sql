-- A whole migration that adds a marketplace, to be copied. Only the test beside it applies this one.
set local role robnu_owner;
set local search_path = robnu;

-- The marketplace's row, a row for each kind of run that something is known of, and one for each reason of claims with known terms.
insert into marketplaces (code, display_name, status) values ('MYNTRA', 'Myntra', 'ACTIVE');
insert into claim_terms (marketplace_code, reason, missing_after_days) values ('MYNTRA', 'NOT_RECEIVED', 30);
insert into marketplace_kinds (marketplace_code, kind, support, every_minutes) values
  ('MYNTRA', 'ORDERS', 'LIVE', 30), ('MYNTRA', 'CREDENTIAL_CHECK', 'LIVE', null);

-- The satellite table, with a column per detail. Columns named …_enc hold ciphertext under the seller's data key.
create table myntra_account_details (
  seller_id uuid not null,
  account_id uuid not null,
  merchant_id text not null,
  api_key_enc bytea not null,
  updated_at timestamptz not null default now(),
  primary key (seller_id, account_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id) on delete cascade
);
call protect_tenant_table('myntra_account_details');
-- People can only write it; a job reads the credentials that it has opened.
create policy select_opened on myntra_account_details as restrictive for select to robnu_tenant
  using (account_id = (select app_opened_account()));
call require_right_to_write('myntra_account_details', 'accounts.manage', 'insert');
grant select, insert (seller_id, account_id, merchant_id, api_key_enc) on myntra_account_details to robnu_tenant;

-- Replacing the details. SECURITY DEFINER for the same reason as the other replace_… functions (0008_accounts.sql).
create function replace_myntra_account_details(account uuid, new_merchant_id text, new_api_key_enc bytea) returns void
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  perform renew_credentials_generation(account);
  update myntra_account_details
  set merchant_id = new_merchant_id, api_key_enc = new_api_key_enc, updated_at = now()
  where seller_id = app_current_seller_id() and account_id = account;
  if not found then
    raise exception 'the account is not one of this marketplace' using errcode = 'RB002';
  end if;
end $$;
grant execute on function replace_myntra_account_details(uuid, text, bytea) to robnu_tenant;

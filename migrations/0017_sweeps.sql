-- The claim sweep, the key sweep and the retention sweep: the first makes a pending claim for each return that did not arrive in
-- time, the second has data keys wrapped by the right KMS keys, the third deletes expired bookkeeping rows. The retention ages are in
-- the function forget.
--
-- robnu_system_retention  may have expired rows of all sellers deleted, and sees none of them
-- robnu_tenant_sweep      what a sweep becomes inside one seller: it makes pending claims for overdue returns, warns of claims that
--                         are due soon, replaces the wrapping of data keys, and does nothing else
do $$
declare
  name text;
begin
  foreach name in array array['robnu_system_retention', 'robnu_tenant_sweep'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
end $$;
grant robnu_system_retention, robnu_tenant_sweep to robnu_sweep with inherit false, set true;

set local role robnu_owner;
set local search_path = robnu;
grant usage on schema robnu to robnu_system_retention, robnu_tenant_sweep;

-- ---- Overdue returns ----

-- Finding overdue returns and claims that are due soon, across sellers. The policies show only these. After file_by a claim would
-- come too late. What the sweep sees and makes of claims themselves is in 0020_claims.sql.
create policy sweep on returns for select to robnu_system_sweep
  using (internal_status = 'EXPECTED' and status <> 'CANCELLED' and pending_at < now() and coalesce(file_by >= now(), true));
create policy sweep_due_soon on returns for select to robnu_system_sweep
  using (status <> 'CANCELLED' and condition is distinct from 'GOOD' and warned_at is null and warn_at < now() and file_by >= now());
grant select (seller_id, id, status, internal_status, condition, pending_at, file_by, warn_at, warned_at)
  on returns to robnu_system_sweep;

-- Claiming for them and warning, inside one seller. An overdue return can go from EXPECTED to CLAIM_PENDING, and a return can be
-- marked once as warned of (warn_of_deadline).
create policy sweep_itself on sellers for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
grant select (seller_id, suspended_at) on sellers to robnu_tenant_sweep;
create policy sweep_reads on returns for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
create policy sweep_marks on returns for update to robnu_tenant_sweep
  using (seller_id = (select app_current_seller_id())
    and internal_status = 'EXPECTED' and status <> 'CANCELLED' and received_at is null and pending_at < now()
    and coalesce(file_by >= now(), true))
  with check (seller_id = (select app_current_seller_id()) and internal_status = 'CLAIM_PENDING');
create policy sweep_warns on returns for update to robnu_tenant_sweep
  using (seller_id = (select app_current_seller_id())
    and status <> 'CANCELLED' and condition is distinct from 'GOOD' and warned_at is null and warn_at < now() and file_by >= now())
  with check (seller_id = (select app_current_seller_id()) and warned_at is not null);
grant select (seller_id, id, currency, status, internal_status, received_at, condition, pending_at, file_by, warn_at, warned_at),
  update (internal_status, warned_at, updated_at)
  on returns to robnu_tenant_sweep;
grant execute on function app_current_seller_id(), raise_no_scope(text), claim_reasons() to robnu_tenant_sweep;

-- ---- Data keys ----

-- Across sellers the key sweep sees which KMS key wraps each data key, but no wrapped key. It reads and replaces those inside one
-- seller.
create policy sweep on seller_keys for select to robnu_system_sweep using (true);
grant select (seller_id, id, kms_key_id, lease_expires_at) on seller_keys to robnu_system_sweep;
create policy sweep_reads on seller_keys for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
create policy sweep_wraps on seller_keys for update to robnu_tenant_sweep
  using (seller_id = (select app_current_seller_id())) with check (seller_id = (select app_current_seller_id()));
grant select (seller_id, id, wrapped_key, kms_key_id, lease_expires_at), update (wrapped_key, kms_key_id, lease_expires_at)
  on seller_keys to robnu_tenant_sweep;

-- Admits the platform's own work in one seller's scope. It has an entry function and a role of its own, because robnu_tenant would
-- let the sweep's login do all that members and jobs may do; here it writes a few columns of three tables. enter_sweep runs with the
-- caller's rights, so only the login that may become the role passes. Raises RB003 when there is no such seller, and RB005 once its
-- closing has begun and while it is suspended: neither marketplace data nor scans arrive then, so nobody knows what was received,
-- and a false claim would stay in the seller's books. Waiting costs the claim nothing: file_by can be read, and nothing could be
-- filed meanwhile.
--
-- SECURITY DEFINER, like admit_job: it locks the seller until the transaction ends, so that a suspension waits.
create function admit_sweep(seller uuid) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  suspended boolean;
begin
  select s.suspended_at is not null or s.closing_step is not null into suspended from sellers s where s.seller_id = seller for key share;
  if suspended is null then
    raise exception 'no such seller' using errcode = 'RB003';
  end if;
  if suspended then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
  return set_scope(seller::text, '', 'SYSTEM', '', '', 'claims.file');
end $$;
create function enter_sweep(seller uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform robnu.admit_sweep(seller), set_config('role', 'robnu_tenant_sweep', true);
end $$;
grant execute on function admit_sweep(uuid), enter_sweep(uuid) to robnu_sweep;

-- ---- Retention ----

-- Deletes at most so many expired rows of one kind and returns how many. Younger rows and all other tables are out of reach, and the
-- role itself sees no row. The extra hour keeps clear of requests in progress. A locked row is left for the next time. SECURITY
-- DEFINER for the same reason as remove_member (0003_tenancy.sql).
create function forget(what text, at_most bigint) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  forgotten integer;
begin
  case what
    -- A response is replayed for a day.
    when 'idempotency_keys' then
      delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys where created_at < now() - interval '25 hours' limit at_most for update skip locked));
    when 'person_idempotency_keys' then
      delete from person_idempotency_keys where ctid = any (array(
        select ctid from person_idempotency_keys where created_at < now() - interval '25 hours' limit at_most for update skip locked));
    -- A consent expires after ten minutes, used or not; the audit trail records that it was asked for and used.
    when 'account_authorizations' then
      delete from account_authorizations where ctid = any (array(
        select ctid from account_authorizations where expires_at < now() - interval '1 hour' limit at_most for update skip locked));
    -- Requests of a seller are counted for ten seconds, those of a person also for a day. The members' counts have no index by age,
    -- because it would cost every request one more write.
    when 'request_counts' then
      delete from request_counts where ctid = any (array(
        select ctid from request_counts where window_start < now() - interval '1 hour' limit at_most for update skip locked));
    when 'person_requests' then
      delete from person_requests where ctid = any (array(
        select ctid from person_requests where window_start < now() - interval '25 hours' limit at_most for update skip locked));
    -- Mails are counted for a day.
    when 'mail_counts' then
      delete from mail_counts where ctid = any (array(
        select ctid from mail_counts where latest_at < now() - interval '25 hours' limit at_most for update skip locked));
    -- So are openings of lanes and sign-ups.
    when 'lane_openings' then
      delete from lane_openings where ctid = any (array(
        select ctid from lane_openings where opened_at < now() - interval '25 hours' limit at_most for update skip locked));
    when 'sign_up_counts' then
      delete from sign_up_counts where ctid = any (array(
        select ctid from sign_up_counts where began_at < now() - interval '25 hours' limit at_most for update skip locked));
    -- Checks of credentials count for at most a week; a day is added for safety.
    when 'credential_checks' then
      delete from credential_checks where ctid = any (array(
        select ctid from credential_checks where created_at < now() - interval '192 hours' limit at_most for update skip locked));
    -- A quarantined record is read again for as long as the marketplace lists it. It holds customers' data.
    when 'quarantined_records' then
      delete from quarantined_records where ctid = any (array(
        select ctid from quarantined_records where last_seen_at < now() - interval '30 days' limit at_most for update skip locked));
    -- By its digest a page is recognised that is read again; after this time it is kept anew. Pages that wait for their object stay.
    when 'raw_pages' then
      delete from raw_pages where ctid = any (array(
        select ctid from raw_pages where last_seen_at < now() - interval '30 days' and stored_at is not null
        limit at_most for update skip locked));
    -- Customers, of all sellers, whose marketplace's time is over. The order says so from then on.
    when 'customers' then
      with expired as (
        delete from order_pii where ctid = any (array(
          select c.ctid
          from order_pii c
          join orders o on o.seller_id = c.seller_id and o.id = c.order_id
          join marketplace_accounts a on a.seller_id = o.seller_id and a.id = o.account_id
          join marketplaces m on m.code = a.marketplace_code
          where customer_data_ends_at(m.customer_data_days, o.status, o.delivered_at, o.marketplace_updated_at, o.updated_at) < now()
          limit at_most for update of c, o skip locked))
        returning seller_id, order_id
      )
      update orders o set customer_expired_at = coalesce(o.customer_expired_at, now())
      from expired e where o.seller_id = e.seller_id and o.id = e.order_id;
    -- Dead letters that were redriven or discarded. The record of who did that (dead_letter_actions) stays.
    when 'dead_letters' then
      delete from dead_letters where ctid = any (array(
        select ctid from dead_letters where closed_at < now() - interval '90 days' limit at_most for update skip locked));
    -- Openings of credentials by jobs are logs, which the rules under the DPDP Act require for a year.
    when 'job_events' then
      delete from audit_events where ctid = any (array(
        select ctid from audit_events where actor_kind = 'JOB' and occurred_at < now() - interval '400 days'
        limit at_most for update skip locked));
    -- Records of who changed what belong to the books of account, which the Companies Act requires for eight financial years after
    -- the year in which the change happened.
    when 'other_events' then
      delete from audit_events where ctid = any (array(
        select ctid from audit_events where actor_kind <> 'JOB' and occurred_at < now() - interval '9 years'
        limit at_most for update skip locked));
  end case;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;
create index account_authorizations_by_end on account_authorizations (expires_at);
grant execute on function forget(text, bigint) to robnu_system_retention;

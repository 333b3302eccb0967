-- Two more sweeps: one puts a pending claim before the seller for what did not come in time, one deletes what has served.
--
-- robnu_system_retention  deletes rows that have served, of all sellers: it sees their age and nothing else
-- robnu_tenant_sweep      what a sweep becomes inside one seller: it makes pending claims for overdue returns, nothing else
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

-- Finding them, across sellers. The policy shows only what is overdue; what is claimed for already is told by the claims' keys.
create policy sweep on returns for select to robnu_system_sweep
  using (internal_status = 'EXPECTED' and status <> 'CANCELLED' and claim_due_at < now());
grant select (seller_id, id, status, internal_status, claim_due_at) on returns to robnu_system_sweep;
create policy sweep on claims for select to robnu_system_sweep using (true);
grant select (seller_id, return_id) on claims to robnu_system_sweep;

-- Claiming for them, inside one seller: a return can go from EXPECTED to CLAIM_PENDING once it is overdue, and a claim can be
-- made that is PENDING because nothing was received.
create policy sweep_itself on sellers for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
grant select (seller_id, suspended_at) on sellers to robnu_tenant_sweep;
create policy sweep_reads on returns for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
create policy sweep_marks on returns for update to robnu_tenant_sweep
  using (seller_id = (select app_current_seller_id())
    and internal_status = 'EXPECTED' and status <> 'CANCELLED' and received_at is null and claim_due_at < now())
  with check (seller_id = (select app_current_seller_id()) and internal_status = 'CLAIM_PENDING');
grant select (seller_id, id, currency, status, internal_status, received_at, claim_due_at), update (internal_status, updated_at)
  on returns to robnu_tenant_sweep;
create policy sweep_reads on claims for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
create policy sweep_makes on claims for insert to robnu_tenant_sweep
  with check (seller_id = (select app_current_seller_id()) and status = 'PENDING' and reason = 'NOT_RECEIVED');
grant select (seller_id, return_id), insert (seller_id, return_id, status, reason, currency) on claims to robnu_tenant_sweep;
grant execute on function app_current_seller_id() to robnu_tenant_sweep;

-- The platform's own work in one seller's scope. A door of its own, to a role of its own, because robnu_tenant would bring
-- the sweep's login within reach of all that members and jobs may do: here it reaches two statuses of two tables. It runs
-- with the caller's rights, so no login passes but the one that may become the role, and without a seller that there is
-- nothing is entered: RB003. Refuses with RB005 while the seller is suspended: neither the marketplace's news nor scans come
-- in then, so that nobody knows what was received, and a claim that was never true stays in the seller's books. The claim
-- loses nothing by waiting: what was not received can be claimed for from claim_due_at on, without an end.
create function enter_sweep(seller uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  suspended boolean;
begin
  perform robnu.enter_as('robnu_tenant_sweep', seller::text, '', 'SYSTEM', '', '', 'claims.file');
  select s.suspended_at is not null into suspended from robnu.sellers s where s.seller_id = seller;
  if suspended is null then
    raise exception 'no such seller' using errcode = 'RB003';
  end if;
  if suspended then
    raise exception 'the seller is suspended' using errcode = 'RB005';
  end if;
end $$;
grant execute on function enter_sweep(uuid) to robnu_sweep;

-- ---- What has served ----

-- Each policy shows, and lets go, only what is too old to be asked for; the hour beyond keeps clear of requests under way. The
-- role sees no column but the age: ctid says which row. UPDATE is there because SKIP LOCKED asks for it; the check lets no row
-- be written.
--
-- Answers are given again for a day.
create policy retention on idempotency_keys for all to robnu_system_retention
  using (created_at < now() - interval '25 hours') with check (false);
grant select (ctid, created_at), update (created_at), delete on idempotency_keys to robnu_system_retention;
create policy retention on person_idempotency_keys for all to robnu_system_retention
  using (created_at < now() - interval '25 hours') with check (false);
grant select (ctid, created_at), update (created_at), delete on person_idempotency_keys to robnu_system_retention;
-- A consent is waited for until it is over, ten minutes long, used or not; that it was asked for and used is in the audit trail.
create index account_authorizations_by_end on account_authorizations (expires_at);
create policy retention on account_authorizations for all to robnu_system_retention
  using (expires_at < now() - interval '1 hour') with check (false);
grant select (ctid, expires_at), update (expires_at), delete on account_authorizations to robnu_system_retention;
-- Requests are counted for ten seconds. The members' counts have no index by age, which would cost every request one more write.
create policy retention on request_counts for all to robnu_system_retention
  using (window_start < now() - interval '1 hour') with check (false);
grant select (ctid, window_start), update (window_start), delete on request_counts to robnu_system_retention;
create policy retention on person_requests for all to robnu_system_retention
  using (window_start < now() - interval '1 hour') with check (false);
grant select (ctid, window_start), update (window_start), delete on person_requests to robnu_system_retention;
-- Mails are counted for a day.
create policy retention on mail_counts for all to robnu_system_retention
  using (latest_at < now() - interval '25 hours') with check (false);
grant select (ctid, latest_at), update (latest_at), delete on mail_counts to robnu_system_retention;

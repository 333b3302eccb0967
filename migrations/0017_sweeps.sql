-- Two more sweeps: one puts a pending claim before the seller for what did not come in time, one deletes what has served.
--
-- robnu_system_retention  may have rows deleted that have served, of all sellers: it sees none
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
grant execute on function app_current_seller_id(), raise_no_scope(text) to robnu_tenant_sweep;

-- The platform's own work in one seller's scope. An entry function of its own, to a role of its own, because robnu_tenant would bring
-- the sweep's login within reach of all that members and jobs may do: here it reaches two statuses of two tables. It runs
-- with the caller's rights, so no login passes but the one that may become the role, and without a seller that there is
-- nothing is entered: RB003. Refuses with RB005 while the seller is suspended: neither the marketplace's news nor scans come
-- in then, so that nobody knows what was received, and a claim that was never true stays in the seller's books. The claim
-- loses nothing by waiting: what was not received can be claimed for from claim_due_at on, without an end.
--
-- SECURITY DEFINER, as admit_job is: it holds the seller until the transaction ends, so that a suspension waits.
create function admit_sweep(seller uuid) returns text
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  suspended boolean;
begin
  select s.suspended_at is not null into suspended from sellers s where s.seller_id = seller for key share;
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

-- ---- What has served ----

-- Deletes rows that have served, so many at most, and counts them; what is young, and every other table, is out of its reach, and the
-- role itself sees no row. The hour beyond keeps clear of requests under way. A row in use is left for the next time. SECURITY
-- DEFINER for the reason that remove_member has.
create function forget(what text, at_most bigint) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  forgotten integer;
begin
  case what
    -- Answers are given again for a day.
    when 'idempotency_keys' then
      delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys where created_at < now() - interval '25 hours' limit at_most for update skip locked));
    when 'person_idempotency_keys' then
      delete from person_idempotency_keys where ctid = any (array(
        select ctid from person_idempotency_keys where created_at < now() - interval '25 hours' limit at_most for update skip locked));
    -- A consent is waited for until it is over, ten minutes long, used or not; that it was asked for and used is in the audit trail.
    when 'account_authorizations' then
      delete from account_authorizations where ctid = any (array(
        select ctid from account_authorizations where expires_at < now() - interval '1 hour' limit at_most for update skip locked));
    -- Requests of a seller are counted for ten seconds, those of a person for a day too. The members' counts have no index by age,
    -- which would cost every request one more write.
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
    -- Checks of credentials count for a week at most; a day more is room.
    when 'credential_checks' then
      delete from credential_checks where ctid = any (array(
        select ctid from credential_checks where created_at < now() - interval '192 hours' limit at_most for update skip locked));
    -- A record that could not be read is read again as long as the marketplace lists it. It holds customers' data.
    when 'quarantined_records' then
      delete from quarantined_records where ctid = any (array(
        select ctid from quarantined_records where last_seen_at < now() - interval '30 days' limit at_most for update skip locked));
    -- Openings of credentials by jobs are logs, of which the rules under the DPDP Act ask for a year.
    when 'job_events' then
      delete from audit_events where ctid = any (array(
        select ctid from audit_events where actor_kind = 'JOB' and occurred_at < now() - interval '400 days'
        limit at_most for update skip locked));
    -- Who changed what belongs to the books of account, which the Companies Act keeps for eight financial years after the one in
    -- which it happened.
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

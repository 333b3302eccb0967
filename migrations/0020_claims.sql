-- Claims: their dates, the warning before a deadline, the claims themselves and their steps. How to change a deadline is in README.md.
set local role robnu_owner;
set local search_path = robnu;

-- Takes the claim terms once, when the return is stored, and makes dates of them. The dates move when the marketplace corrects the
-- start or the completion and when the return arrives, until a claim is filed or cancelled. file_by is the earliest deadline of the
-- claims that are possible now: before the return arrives that is NOT_RECEIVED, afterwards the other reasons. The warning comes
-- three days before, or a third of the time before if that is less, but at least a day before, because the sweep comes
-- once a night. SECURITY DEFINER because members who scan read neither claims nor the seller's terms.
create function set_claim_dates() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  days integer;
begin
  if tg_op = 'INSERT' then
    select coalesce(max(coalesce(own.missing_after_days, t.missing_after_days)), default_missing_after_days()),
      array_agg(coalesce(own.file_by_days, t.file_by_days) order by r.place)
    into new.missing_after_days, new.file_by_days
    from unnest(claim_reasons()) with ordinality as r (reason, place)
    left join marketplace_accounts a on a.seller_id = new.seller_id and a.id = new.account_id
    left join claim_terms t on t.marketplace_code = a.marketplace_code and t.reason = r.reason
    left join seller_claim_terms own
      on own.seller_id = new.seller_id and own.marketplace_code = a.marketplace_code and own.reason = r.reason;
  elsif exists (
    select from claims c
    where c.seller_id = old.seller_id and c.return_id = old.id and (c.filed_at is not null or c.status = 'CANCELLED'))
  then
    return new;
  end if;
  days := case when new.received_at is null then new.file_by_days[1] else (select min(d) from unnest(new.file_by_days[2:]) as d) end;
  new.missing_at := new.initiated_at + make_interval(days => new.missing_after_days);
  new.file_by := new.delivered_at + make_interval(days => days);
  new.warn_at := new.file_by - greatest(interval '1 day', least(interval '3 days', make_interval(hours => days * 24 / 3)));
  new.pending_at := least(new.missing_at, new.warn_at);
  if tg_op = 'UPDATE' then
    -- A claim that nobody has filed yet moves with its return.
    update claims c set file_by = claim_file_by(new, c.reason)
    where c.seller_id = new.seller_id and c.return_id = new.id and c.file_by is distinct from claim_file_by(new, c.reason);
  end if;
  return new;
end $$;
create trigger set_claim_dates before insert or update of initiated_at, delivered_at, received_at on returns
  for each row execute function set_claim_dates();

-- A warning is given once, while it is of use; other attempts change nothing. The claims are read again here, because one may have
-- been filed a moment ago.
create function warn_of_deadline() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if old.warned_at is not null or new.status = 'CANCELLED' or new.condition = 'GOOD'
    or new.internal_status <> old.internal_status or not coalesce(new.warn_at < now() and new.file_by >= now(), false)
    or exists (
      select from robnu.claims c
      where c.seller_id = new.seller_id and c.return_id = new.id and (c.filed_at is not null or c.status = 'CANCELLED'))
  then
    return null;
  end if;
  new.warned_at := now();
  return new;
end $$;
create trigger warn_of_deadline before update of warned_at on returns for each row
  when (new.warned_at is distinct from old.warned_at) execute function warn_of_deadline();

-- Claims, one per return: PENDING → FILED → ACKNOWLEDGED → RESOLVED_WON or RESOLVED_LOST. A claim can be cancelled and reopened
-- on the way.
create table claims (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  return_id uuid not null,
  -- The return's account, so that lists need no join. The trigger fills it in.
  account_id uuid not null,
  status text not null default 'FILED' check (status in ('PENDING', 'FILED', 'ACKNOWLEDGED', 'RESOLVED_WON', 'RESOLVED_LOST',
    'CANCELLED', 'REOPENED_WITH_EVIDENCE')),
  -- NOT_RECEIVED: nothing arrived. The others are about what arrived.
  reason text not null check (reason = any (claim_reasons())),
  -- Until when it can be filed for its reason, or could be when it was filed; null: unknown.
  file_by timestamptz,
  note text check (length(note) between 1 and 1000),
  -- The marketplace's ticket.
  marketplace_reference text check (length(marketplace_reference) between 1 and 100),
  currency text not null default 'INR' check (currency ~ '^[A-Z]{3}$'),
  claimed_amount numeric(14, 4) check (claimed_amount >= 0),
  recovered_amount numeric(14, 4) check (recovered_amount >= 0),
  -- Why the status last changed: why the claim was lost, cancelled or reopened.
  status_reason text check (length(status_reason) between 1 and 500),
  filed_at timestamptz,
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, return_id),
  foreign key (seller_id, return_id) references returns (seller_id, id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check (recovered_amount is null or status = 'RESOLVED_WON'),
  check (status not in ('RESOLVED_LOST', 'CANCELLED') or status_reason is not null)
);
create index claims_by_time on claims (seller_id, created_at desc, id desc);
create index claims_by_status on claims (seller_id, status, account_id, created_at desc nulls last, id desc nulls last);
create index claims_by_account on claims (seller_id, account_id, created_at desc, id desc);

-- Every step of a claim. Only the trigger below writes it.
create table claim_events (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  claim_id uuid not null,
  from_status text,
  to_status text not null,
  reason text,
  -- The recovered amount, both in the step that won it and in the step that took it back.
  recovered_amount numeric(14, 4),
  actor_kind text not null,
  actor_id uuid,
  impersonation_session_id uuid,
  occurred_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, claim_id) references claims (seller_id, id)
);
create index claim_events_by_claim on claim_events (seller_id, claim_id, id);

call protect_tenant_table('claims');
call protect_tenant_table('claim_events');
call require_right_to_read('claims', 'read', 'ingest');
call require_right_to_read('claim_events', 'read', 'ingest');
call require_right_to_write('claims', 'claims.file', 'insert');
create policy update_needs_right on claims as restrictive for update to robnu_tenant
  using ((select app_may_any('claims.file', 'claims.resolve'))) with check ((select app_may_any('claims.file', 'claims.resolve')));
call require_right_to_change('claims', 'claims.resolve', 'recovered_amount');
call keep_version('claims', 'status', 'status_reason', 'reason', 'note', 'marketplace_reference', 'claimed_amount', 'recovered_amount');
call audit('claims', 'insert or update', 'claim', 'id', 'return_id', 'status', 'reason', 'claimed_amount', 'recovered_amount');
grant select,
  insert (seller_id, return_id, reason, note, marketplace_reference, currency, claimed_amount),
  update (status, status_reason, reason, note, marketplace_reference, currency, claimed_amount, recovered_amount, updated_at)
  on claims to robnu_tenant;
grant select on claim_events to robnu_tenant;

-- Until when a claim can be filed for a reason; null while the completion or the number of days is unknown.
create function claim_file_by(claimed returns, claim_reason text) returns timestamptz
language sql stable parallel safe
return (claimed).delivered_at + make_interval(days => (claimed).file_by_days[array_position(claim_reasons(), claim_reason)]);
grant execute on function claim_file_by(returns, text) to robnu_tenant;

-- Checks whether a return can be claimed for. A claim about what arrived needs its receipt. A claim for what did not arrive is
-- possible once the return counts as lost, or once the marketplace says that it was delivered. Both end at file_by, if that is
-- known. SECURITY DEFINER because it locks the return, which its readers may not do, so that a claim and a scan at the same time
-- see each other.
create function open_claim() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  claimed returns;
  refusal text;
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may('claims.file') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  select * into claimed from returns where seller_id = new.seller_id and id = new.return_id for no key update;
  if not found then
    return new;
  end if;
  new.account_id := claimed.account_id;
  new.file_by := claim_file_by(claimed, new.reason);
  refusal := case
    when claimed.status = 'CANCELLED' then 'claims_return_cancelled'
    when new.reason = 'NOT_RECEIVED' and claimed.received_at is not null then 'claims_return_received'
    when new.reason = 'NOT_RECEIVED' and least(claimed.missing_at, claimed.delivered_at) >= now() then 'claims_window_open'
    when new.reason <> 'NOT_RECEIVED' and claimed.received_at is null then 'claims_return_not_received'
    when new.file_by < now() then 'claims_window_over'
  end;
  if refusal is not null then
    raise exception 'the return cannot be claimed for' using errcode = 'check_violation', constraint = refusal;
  end if;
  -- A pending claim is not filed yet.
  new.filed_at := case when new.status <> 'PENDING' then now() end;
  return new;
end $$;
create trigger open_claim before insert on claims for each row execute function open_claim();

-- The steps of a claim, and the permission that each needs. Only the scan itself can reopen a claim with evidence.
create function claim_step_right(from_status text, to_status text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when from_status = 'PENDING' and to_status in ('FILED', 'CANCELLED') then 'claims.file'
  when from_status = 'FILED' and to_status in ('ACKNOWLEDGED', 'CANCELLED') then 'claims.file'
  when from_status = 'REOPENED_WITH_EVIDENCE' and to_status in ('ACKNOWLEDGED', 'CANCELLED') then 'claims.file'
  when from_status = 'ACKNOWLEDGED' and to_status in ('RESOLVED_WON', 'RESOLVED_LOST') then 'claims.resolve'
  when from_status = 'ACKNOWLEDGED' and to_status = 'CANCELLED' then 'claims.file'
  when from_status in ('RESOLVED_WON', 'RESOLVED_LOST', 'CANCELLED', 'REOPENED_WITH_EVIDENCE') and to_status = 'FILED'
    then 'claims.resolve'
end;
grant execute on function claim_step_right(text, text) to robnu_tenant;

create function step_claim() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  needs text := case
    -- The return arrived after its window, and its pending claim was never filed. The scan has reopened that claim. Filing it,
    -- with a reason that fits what arrived, is a first filing and not a second look.
    when old.status = 'REOPENED_WITH_EVIDENCE' and old.filed_at is null and new.status = 'FILED' then 'claims.file'
    else robnu.claim_step_right(old.status, new.status)
  end;
begin
  if new.status = 'REOPENED_WITH_EVIDENCE' and current_user = 'robnu_owner' then
    null;
  elsif needs is null then
    raise exception 'the claim has no such step' using errcode = 'check_violation', constraint = 'claims_step';
  elsif not robnu.app_may(needs) then
    raise exception 'the scope may not take this step' using errcode = 'insufficient_privilege';
  end if;
  new.updated_at := now();
  if new.status <> 'RESOLVED_WON' then
    new.recovered_amount := null;
  end if;
  if new.status = 'FILED' then
    if old.filed_at is null then
      -- The first filing of a claim that was made earlier.
      new.file_by := (
        select robnu.claim_file_by(r, new.reason) from robnu.returns r where r.seller_id = new.seller_id and r.id = new.return_id);
      if new.file_by < now() then
        raise exception 'the claim comes too late' using errcode = 'check_violation', constraint = 'claims_window_over';
      end if;
    end if;
    new.filed_at := now();
    new.acknowledged_at := null;
  elsif new.status = 'ACKNOWLEDGED' then
    new.acknowledged_at := now();
  end if;
  new.resolved_at := case when new.status in ('RESOLVED_WON', 'RESOLVED_LOST') then now() end;
  return new;
end $$;
create trigger step_claim before update of status on claims for each row when (new.status <> old.status) execute function step_claim();

-- SECURITY DEFINER because nobody may write events of their own making.
create function note_claim_event() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  insert into claim_events (seller_id, claim_id, from_status, to_status, reason, recovered_amount, actor_kind, actor_id,
    impersonation_session_id)
  values (new.seller_id, new.id, case when tg_op = 'UPDATE' then old.status end, new.status, new.status_reason,
    coalesce(new.recovered_amount, case when tg_op = 'UPDATE' then old.recovered_amount end),
    coalesce(nullif(current_setting('app.actor_kind', true), ''), 'SYSTEM'),
    nullif(current_setting('app.actor_id', true), '')::uuid,
    nullif(current_setting('app.impersonation_session', true), '')::uuid);
  return null;
end $$;
create trigger note_claim_event after insert on claims for each row execute function note_claim_event();
create trigger note_claim_step after update of status on claims for each row
  when (new.status <> old.status) execute function note_claim_event();

-- A return that is received after a claim was made reopens the claim with the scan as evidence, unless the claim was cancelled.
-- SECURITY DEFINER because members who scan need not be allowed to change claims.
create function reopen_claim_with_evidence() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  update claims set status = 'REOPENED_WITH_EVIDENCE', status_reason = 'the return was scanned as received'
  where seller_id = new.seller_id and return_id = new.id and status not in ('CANCELLED', 'REOPENED_WITH_EVIDENCE');
  return null;
end $$;
create trigger reopen_claim_with_evidence after update of received_at on returns for each row
  when (old.received_at is null and new.received_at is not null) execute function reopen_claim_with_evidence();

-- ---- The claim sweep (0017_sweeps.sql) ----

-- Across sellers, the claims' keys tell which returns have one already, and their status which need no warning.
create policy sweep on claims for select to robnu_system_sweep using (true);
grant select (seller_id, return_id, status, filed_at) on claims to robnu_system_sweep;
-- Inside one seller, the sweep makes pending claims for what was not received.
create policy sweep_reads on claims for select to robnu_tenant_sweep using (seller_id = (select app_current_seller_id()));
create policy sweep_makes on claims for insert to robnu_tenant_sweep
  with check (seller_id = (select app_current_seller_id()) and status = 'PENDING' and reason = 'NOT_RECEIVED');
grant select (seller_id, return_id, status, filed_at), insert (seller_id, return_id, status, reason, currency)
  on claims to robnu_tenant_sweep;

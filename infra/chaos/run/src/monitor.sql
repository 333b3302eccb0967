-- The monitor: notes, in the run's own database, what no later run can hide any more. Triggers of the superuser write it, and the
-- functions neither see nor hear of it.
create schema chaos;
create table chaos.findings (kind text not null, what text not null, noted_at timestamptz not null default clock_timestamp());
-- Which server process took which attempt, and where a run has been.
create table chaos.attempts (run uuid, attempt integer, pid integer, primary key (run, attempt));
create table chaos.positions (run uuid, position text, primary key (run, position));
-- What was marked as sent, and when accounts left a lane, with which unread messages are deleted.
create table chaos.sent (run uuid, step integer, generation integer, account uuid, sent_at timestamptz default clock_timestamp(), primary key (run, step, generation));
create table chaos.left_lanes (account uuid, left_at timestamptz default clock_timestamp());

create function chaos.watch_run() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.sent_at is not null and (tg_op = 'INSERT' or old.sent_at is null) then
    insert into chaos.sent (run, step, generation, account) values (new.id, new.step, new.generation, new.account_id) on conflict do nothing;
  end if;
  if tg_op = 'INSERT' then
    if new.trigger <> 'FILE' and exists (
      select from robnu.sync_runs other
      where other.seller_id = new.seller_id and other.account_id = new.account_id and other.kind = new.kind and other.id <> new.id
        and other.trigger <> 'FILE' and other.state in ('QUEUED', 'RUNNING', 'WAITING'))
    then
      insert into chaos.findings values ('second live run', new.kind || ' of account ' || new.account_id);
    end if;
    return null;
  end if;
  if new.attempt > old.attempt then
    insert into chaos.attempts values (new.id, new.attempt, pg_backend_pid()) on conflict do nothing;
    if old.state = 'RUNNING' and old.lease_expires_at > now() then
      insert into chaos.findings values ('live lease taken', 'attempt ' || new.attempt || ' of run ' || new.id);
    end if;
    -- Reads of an account take turns, whichever queue their messages come through.
    if new.kind in ('ORDERS', 'CREDENTIAL_CHECK') and exists (
      select from robnu.sync_runs other
      where other.seller_id = new.seller_id and other.account_id = new.account_id and other.id <> new.id
        and other.kind in ('ORDERS', 'CREDENTIAL_CHECK') and other.state = 'RUNNING' and other.lease_expires_at > now())
    then
      insert into chaos.findings values ('turn not waited for', 'attempt ' || new.attempt || ' of run ' || new.id);
    end if;
    -- A run gives up in its 21st attempt. An attempt that is killed before it does leaves that to the next one.
    if new.fruitless_attempts - new.deferred_attempts > 30 then
      insert into chaos.findings values ('tried for ever', new.fruitless_attempts || ' attempts of run ' || new.id || ' without a page');
    end if;
  end if;
  if new.pages > old.pages then
    if exists (select from chaos.attempts a where a.run = new.id and a.pid = pg_backend_pid() and a.attempt < new.attempt)
      and not exists (select from chaos.attempts a where a.run = new.id and a.pid = pg_backend_pid() and a.attempt = new.attempt)
    then
      insert into chaos.findings values ('page of a former attempt', 'run ' || new.id || ', which attempt ' || new.attempt || ' holds');
    end if;
    if new.page_position is not null and new.page_position is distinct from old.page_position then
      begin
        insert into chaos.positions values (new.id, md5(new.page_position));
      exception when unique_violation then
        insert into chaos.findings values ('page read twice', 'run ' || new.id || ' at page ' || new.pages);
      end;
    end if;
  end if;
  return null;
end $$;
create trigger chaos_watch after insert or update on robnu.sync_runs for each row execute function chaos.watch_run();

create function chaos.watch_lane() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into chaos.left_lanes (account) values (old.id);
  return null;
end $$;
create trigger chaos_watch after update on robnu.marketplace_accounts for each row
  when (old.lane_queue_url is not null and old.lane_queue_url is distinct from new.lane_queue_url) execute function chaos.watch_lane();

create function chaos.watch_watermark() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from robnu.sync_runs r
    where r.seller_id = new.seller_id and r.account_id = new.account_id and r.kind = new.kind and r.state = 'SUCCEEDED'
      and r.complete_until >= new.complete_until)
  then
    insert into chaos.findings values ('watermark ahead', new.kind || ' of account ' || new.account_id || ' is at ' || new.complete_until);
  end if;
  return null;
end $$;
create trigger chaos_watch after insert or update on robnu.watermarks for each row execute function chaos.watch_watermark();

create function chaos.watch_version() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into chaos.findings values ('stale', tg_table_name || ' ' || new.id || ' went back from ' || old.marketplace_updated_at || ' to '
    || new.marketplace_updated_at);
  return null;
end $$;
create trigger chaos_watch after update on robnu.orders for each row
  when (new.marketplace_updated_at < old.marketplace_updated_at) execute function chaos.watch_version();
create trigger chaos_watch after update on robnu.returns for each row
  when (new.marketplace_updated_at < old.marketplace_updated_at) execute function chaos.watch_version();

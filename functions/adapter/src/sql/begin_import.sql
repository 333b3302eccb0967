-- Makes the run of an import whose file has arrived; a notice that comes again finds the run. A file that came after its time, when the
-- sweep had given it up, gets a run of its own. Returns no row when the account has no such import, and a row without a run while another
-- notice makes it. A run is made and not to be published when operators hold it, or when as many of its marketplace are under way as may
-- be at once; a sweep publishes it as soon as it may (next_attempt_at as in request_run.sql).
-- $1 import, $2 account, $3 id of a new run
with import as (
  select i.seller_id, i.id, i.account_id, i.run_id
  from robnu.imports i
  where i.id = $1 and i.account_id = $2
  for update
), account as (
  select a.seller_id, a.id, a.marketplace_code,
    robnu.is_held(a.held_at, a.marketplace_code) or not robnu.has_room(a.marketplace_code) as is_held_back
  from robnu.marketplace_accounts a
  where a.id = $2
), made as (
  insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, next_attempt_at)
  select i.seller_id, $3, i.account_id, a.marketplace_code, 'FILE_IMPORT', 'FILE', case when a.is_held_back then now() end
  from import i
  join account a on a.seller_id = i.seller_id and a.id = i.account_id
  left join robnu.sync_runs given_up on given_up.seller_id = i.seller_id and given_up.id = i.run_id
  where i.run_id is null or (given_up.state = 'FAILED' and given_up.error_code = 'not_uploaded')
  returning id, step, generation
), linked as (
  update robnu.imports i set run_id = made.id from made where i.id = $1 and i.account_id = $2
), arrived as (
  update robnu.storage_objects o set state = 'STORED'
  from made
  where o.id = $1 and o.account_id = $2 and o.state = 'AWAITED'
)
select coalesce(made.id, r.id) as run_id, coalesce(made.step, r.step) as step, coalesce(made.generation, r.generation) as generation,
  (made.id is not null or (r.state = 'QUEUED' and r.sent_at is null)) and not a.is_held_back as is_unpublished
from import i
join account a on a.seller_id = i.seller_id and a.id = i.account_id
left join made on true
left join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id

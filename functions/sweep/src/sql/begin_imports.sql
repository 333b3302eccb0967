-- Makes the runs of imports for which no notice has come long after their files were announced, and returns the messages to publish. The
-- upload's time is over by then: either the notice was lost, and the run imports the file, or no file was sent, and the run says so.
-- An account that is not active or is held and a suspended seller keep their imports for later.
-- $1 imports at most, $2 codes of the marketplaces that have an adapter, $3 seconds since the announcement
with awaited as (
  select i.seller_id, i.id, i.account_id, account.marketplace_code, uuidv7() as run_id
  from robnu.imports i
  join robnu.marketplace_accounts account on account.seller_id = i.seller_id and account.id = i.account_id
  join robnu.sellers seller on seller.seller_id = i.seller_id and seller.suspended_at is null
  where i.run_id is null and i.id < uuidv7(make_interval(secs => - $3::double precision)) and account.status in ('ACTIVE', 'NEEDS_RECONNECT')
    and account.marketplace_code = any ($2) and not robnu.is_held(account.held_at, account.marketplace_code)
  order by i.id
  limit $1
  for update of i skip locked
), linked as (
  update robnu.imports i set run_id = awaited.run_id
  from awaited where i.seller_id = awaited.seller_id and i.id = awaited.id
)
insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger)
select seller_id, run_id, account_id, marketplace_code, 'FILE_IMPORT', 'FILE' from awaited
returning seller_id, id, account_id, marketplace_code, kind, step, generation, null::text as lane_queue_url

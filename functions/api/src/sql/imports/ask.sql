-- Makes an import, unless the account's last one of the same file is under way or has imported every row of it. An upload that did not
-- come within its time is made anew. Returns whether the account is active, whether its marketplace takes files, whether the account has
-- imported the file that is to be corrected, if one is, and whether the import is new; no row without the account.
-- $1 import, $2 account, $3 bucket, $4 content type, $5 size, $6 checksum, $7 KMS key, $8 file name, $9 order of dates, $10 import that it corrects
with account as (
  select a.seller_id, a.id, a.marketplace_code, a.status in ('ACTIVE', 'NEEDS_RECONNECT') as is_active,
    coalesce(k.support, 'NOT_YET') as support, k.reason,
    $10::uuid is null or exists (
      select from robnu.imports i
      join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id
      where i.id = $10 and i.account_id = a.id and r.state = 'SUCCEEDED') as has_earlier
  from robnu.marketplace_accounts a
  left join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.kind = 'FILE_IMPORT'
  where a.id = $2
), last as (
  select r.state, r.quarantined, o.created_at
  from robnu.storage_objects o
  join robnu.imports i on i.seller_id = o.seller_id and i.id = o.id
  left join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id
  where o.account_id = $2 and o.checksum = $6 and o.kind = 'IMPORT'
  order by o.id desc
  limit 1
), wanted as (
  select account.* from account
  where is_active and support = 'LIVE' and has_earlier and not exists (
    select from last
    where case
      when state is null then created_at > now() - interval '14 minutes'
      when state = 'SUCCEEDED' then quarantined = 0
      else state not in ('FAILED', 'CANCELLED', 'DEAD_LETTERED') end)
), object as (
  insert into robnu.storage_objects
    (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key, file_name)
  select seller_id, $1, id, 'IMPORT', marketplace_code, $3, $4, $5, $6, $7, $8 from wanted
), made as (
  insert into robnu.imports (seller_id, id, account_id, date_order, only_payments, corrects)
  select seller_id, $1, id, $9, not (select robnu.app_may('sync.run')), $10 from wanted
  returning id
)
select account.is_active, account.support, account.reason, account.has_earlier, exists (select from made) as is_new from account

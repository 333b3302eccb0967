-- Ends a run, moves the account's watermark of its kind and records that the account's credentials are good, unless the run read a
-- file, in the transaction of the last page. The watermark never passes the present, whatever the marketplace's clock says. It goes
-- back only after a full read, so that a full read mends a wrong watermark.
-- $1 run, $2 step, $3 attempt
with finished as (
  update robnu.sync_runs
  set state = 'SUCCEEDED', finished_at = now(), lease_expires_at = null, page_position = null
  where id = $1 and step = $2 and attempt = $3 and state = 'RUNNING'
  -- least() would return now() when the marketplace vouches for nothing.
  returning seller_id, account_id, kind, full_read, changed_since, case when complete_until is not null then least(complete_until, now()) end as complete_until
), moved as (
  insert into robnu.watermarks as known (seller_id, account_id, kind, complete_until)
  select seller_id, account_id, kind, complete_until from finished where complete_until is not null
  on conflict (seller_id, account_id, kind) do update
  set complete_until = case when (select full_read from finished) then excluded.complete_until
    else greatest(least(known.complete_until, now()), excluded.complete_until) end,
    looked_back_at = case when (select changed_since >= known.complete_until - interval '1 day' from finished)
      then known.looked_back_at else now() end
)
update robnu.marketplace_accounts a
set last_validated_at = now(), last_validation = 'OK', updated_at = now()
from finished f
where a.seller_id = f.seller_id and a.id = f.account_id and f.kind <> 'FILE_IMPORT'

-- The file of a run and the earlier file that it corrects, if it does, and whether the account's earlier files come first: a corrected
-- file must not be overtaken by the one that it corrects. A file is awaited until its notice has come, or until it was read without one.
-- $1 run
select i.id, o.size, o.checksum, i.date_order, i.only_payments, o.state = 'AWAITED' as is_awaited,
  exists (
    select from robnu.sync_runs earlier
    where earlier.seller_id = i.seller_id and earlier.account_id = i.account_id and earlier.kind = 'FILE_IMPORT' and earlier.id < i.run_id
      and earlier.state in ('QUEUED', 'RUNNING', 'WAITING')) as waits_for_earlier,
  c.id as earlier_id, co.size as earlier_size, co.checksum as earlier_checksum, c.date_order as earlier_date_order,
  c.recognised_as as earlier_recognised_as
from robnu.imports i
join robnu.storage_objects o on o.seller_id = i.seller_id and o.id = i.id
left join robnu.imports c on c.seller_id = i.seller_id and c.id = i.corrects
left join robnu.storage_objects co on co.seller_id = c.seller_id and co.id = c.id
where i.run_id = $1

-- The seller's imports, newest first: before import $1, $2 of them. One import alone, and those of an account: variants.rs.
select i.id, i.account_id, o.marketplace_code, o.file_name, o.content_type, o.size, o.checksum, o.created_at, i.recognised_as, i.run_id,
  i.corrects, i.records_added, i.records_changed, i.records_missing,
  coalesce(r.state, 'AWAITING_FILE') as state, coalesce(r.quarantined, 0) as quarantined, r.error_code, r.error_message, r.finished_at,
  c.streams, c.added, c.changed, c.unchanged, c.removed
from (
  select * from robnu.imports where id < $1 order by id desc limit $2
) i
join robnu.storage_objects o on o.seller_id = i.seller_id and o.id = i.id
left join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id
left join lateral (
  select array_agg(n.stream order by n.stream) as streams, array_agg(n.added order by n.stream) as added,
    array_agg(n.changed order by n.stream) as changed, array_agg(n.unchanged order by n.stream) as unchanged,
    array_agg(n.removed order by n.stream) as removed
  from robnu.sync_run_counts n
  where n.seller_id = r.seller_id and n.run_id = r.id
) c on true
order by i.id desc

-- The seller's accounts as their members see them, oldest first: after $1, $2 of them. One account alone: variants.rs.
select a.id, a.marketplace_code, a.external_account_id, a.external_account_id_source, a.display_name, a.status, a.lane_state, a.version, a.created_at,
  a.status = 'NEEDS_RECONNECT' or (a.status = 'PAUSED' and a.paused_generation is not distinct from a.credentials_generation) as needs_reconnect,
  a.verified_at, a.last_validated_at, a.last_validation, r.kinds, r.complete_until, r.synced_at, r.is_stale, r.missing_permission,
  (select count(*)::int from (select from robnu.quarantined_records q where q.seller_id = a.seller_id and q.account_id = a.id
    order by q.id desc nulls last limit 100) counted) as quarantined
from robnu.marketplace_accounts a
left join lateral (
  -- How current the account is, for every kind that its marketplace supports.
  select array_agg(k.kind order by k.kind) as kinds, array_agg(w.complete_until order by k.kind) as complete_until,
    array_agg(last.finished_at order by k.kind) as synced_at,
    array_agg(missing.error_message order by k.kind) as missing_permission,
    array_agg(coalesce(a.status = 'ACTIVE' and s.enabled
      and coalesce(last.finished_at, a.created_at) < now() - 3 * make_interval(mins => s.every_minutes), false) order by k.kind) as is_stale
  from robnu.marketplace_kinds k
  left join robnu.watermarks w on w.seller_id = a.seller_id and w.account_id = a.id and w.kind = k.kind
  left join robnu.schedules s on s.seller_id = a.seller_id and s.account_id = a.id and s.kind = k.kind
  left join lateral (
    select run.id, run.finished_at
    from robnu.sync_runs run
    where run.seller_id = a.seller_id and run.account_id = a.id and run.kind = k.kind and run.state = 'SUCCEEDED'
      and run.window_from is null
    order by run.id desc
    limit 1
  ) last on true
  left join lateral (
    select run.error_message
    from robnu.sync_runs run
    where run.seller_id = a.seller_id and run.account_id = a.id and run.kind = k.kind and run.error_code = 'not_permitted'
      and run.id > coalesce(last.id, '00000000-0000-0000-0000-000000000000')
    order by run.id desc
    limit 1
  ) missing on true
  where k.marketplace_code = a.marketplace_code and k.support = 'LIVE' and k.kind not in ('CREDENTIAL_CHECK', 'FILE_IMPORT')
) r on true
where a.id > $1
order by a.id
limit $2

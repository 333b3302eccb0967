-- One account as its members see it. $1 account
select a.id, a.marketplace_code, a.external_account_id, a.external_account_id_source, a.display_name, a.status, a.lane_state, a.version, a.created_at,
  a.status = 'NEEDS_RECONNECT' or (a.status = 'PAUSED' and a.paused_generation is not distinct from a.credentials_generation) as needs_reconnect,
  a.verified_at, a.last_validated_at, a.last_validation, a.orders_watermark, last.finished_at as orders_synced_at,
  coalesce(a.status = 'ACTIVE' and s.enabled
    and coalesce(last.finished_at, a.created_at) < now() - 3 * make_interval(mins => s.every_minutes), false) as is_stale
from robnu.marketplace_accounts a
left join robnu.schedules s on s.seller_id = a.seller_id and s.account_id = a.id and s.kind = 'ORDERS'
left join lateral (
  select r.finished_at
  from robnu.sync_runs r
  where r.seller_id = a.seller_id and r.account_id = a.id and r.kind = 'ORDERS' and r.state = 'SUCCEEDED'
    and r.window_from is null
  order by r.id desc
  limit 1
) last on true
where a.id = $1

-- Accounts that are held, are paused or must be reconnected, and active ones without their lane or with one of the other kind, oldest first.
-- $1 marketplace, $2 seller, $3 account; null: all. $4 how many, $5 seconds that a lane may take to come
select what, marketplace, seller_id, account_id, account_id as id, null::text as kind, since, why, 1::bigint as count
from (
  select case status when 'PAUSED' then 'ACCOUNT_PAUSED' else 'ACCOUNT_NEEDS_RECONNECT' end as what, marketplace_code as marketplace, seller_id,
    id as account_id, case status when 'PAUSED' then status_since else refused_since end as since,
    case status when 'PAUSED' then 'paused_by_seller' else 'credentials_refused' end as why
  from robnu.marketplace_accounts
  where status in ('PAUSED', 'NEEDS_RECONNECT')
  union all
  select 'ACCOUNT_HELD', marketplace_code, seller_id, id, held_at, 'held_by_operator'
  from robnu.marketplace_accounts
  where held_at is not null and status <> 'DISCONNECTED'
  union all
  select 'LANE_MISSING', marketplace_code, seller_id, id, greatest(status_since, verified_at, lane_checked_at), 'lane_' || lower(lane_state)
  from robnu.marketplace_accounts
  where verified_at is not null and status = 'ACTIVE' and lane_state <> 'ACTIVE'
    and greatest(status_since, verified_at, lane_checked_at) < now() - make_interval(secs => $5)
  union all
  select 'LANE_MISSING', marketplace_code, seller_id, id, lane_kind_since, 'lane_not_moved'
  from robnu.marketplace_accounts
  where lane_state in ('ACTIVE', 'PAUSED') and (lane_kind = 'SHARED') <> lane_shared and status = 'ACTIVE'
    and lane_kind_since < now() - make_interval(secs => $5)
) stopped
where ($1::text is null or marketplace = $1) and ($2::uuid is null or seller_id = $2) and ($3::uuid is null or account_id = $3)
order by since, account_id
limit $4

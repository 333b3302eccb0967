-- Whether an account accepts runs of a kind, whether its marketplace's adapter supports them, and whether it has a lane or
-- will have one. It has none before the marketplace first accepted its credentials, nor after the marketplace has refused
-- them for a week. Files need neither. $1 account, $2 kind
select a.status = 'ACTIVE' or (a.status = 'NEEDS_RECONNECT' and $2 in ('CREDENTIAL_CHECK', 'FILE_IMPORT')) as takes_runs,
  coalesce(k.support, 'NOT_YET') as support, k.reason,
  $2 = 'FILE_IMPORT' or robnu.lane_wanted(a.status, a.verified_at, a.refused_since) = 'ACTIVE' as has_lane
from robnu.marketplace_accounts a
left join robnu.marketplace_kinds k on k.marketplace_code = a.marketplace_code and k.kind = $2
where a.id = $1

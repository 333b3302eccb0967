-- Whether an account takes runs of a kind, and whether its marketplace's adapter can do them at all. $1 account, $2 kind
select robnu.lane_wanted(a.status, a.verified_at, a.refused_since) = 'ACTIVE'
    and (a.status = 'ACTIVE' or $2 = 'CREDENTIAL_CHECK') as takes_runs,
  $2 = any (m.capabilities) as is_supported
from robnu.marketplace_accounts a
join robnu.marketplaces m on m.code = a.marketplace_code
where a.id = $1

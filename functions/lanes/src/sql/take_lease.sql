-- Takes the lease on an account's lane, if nobody holds it. Returns no row when the seller has no such account, and a row
-- without a wanted state when somebody else holds the lease.
-- $1 seller, $2 account, $3 seconds to hold it
with taken as (
  update robnu.marketplace_accounts
  set lane_lease_until = now() + make_interval(secs => $3)
  where seller_id = $1 and id = $2 and (lane_lease_until is null or lane_lease_until < now())
  returning seller_id, id, marketplace_code, robnu.lane_wanted(status, verified_at, refused_since) as wanted, lane_state,
    lane_generation, lane_queue_url, lane_mapping_id, lane_kind, lane_shared, lane_lease_until
)
select taken.marketplace_code, taken.wanted, taken.lane_state, taken.lane_generation, taken.lane_queue_url,
  taken.lane_mapping_id, taken.lane_kind, taken.lane_shared, taken.lane_lease_until
from robnu.marketplace_accounts account
left join taken on taken.seller_id = account.seller_id and taken.id = account.id
where account.seller_id = $1 and account.id = $2

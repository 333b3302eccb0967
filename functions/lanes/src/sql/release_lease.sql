-- Releases the lease on an account's lane and returns the account's present state: it may have changed meanwhile, and the
-- request for that change may have been turned away by our lease. $1 seller, $2 account, $3 the lease
update robnu.marketplace_accounts
set lane_lease_until = null
where seller_id = $1 and id = $2 and lane_lease_until = $3
returning robnu.lane_wanted(status, verified_at, refused_since) as wanted, lane_state, lane_kind, lane_shared

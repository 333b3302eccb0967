-- Gives an account's lane back and answers how the account stands now: it may have changed meanwhile, and who
-- changed it may have met our lease. $1 seller, $2 account, $3 the lease
update robnu.marketplace_accounts
set lane_lease_until = null
where seller_id = $1 and id = $2 and lane_lease_until = $3
returning robnu.lane_wanted(status, verified_at, refused_since) as wanted, lane_state

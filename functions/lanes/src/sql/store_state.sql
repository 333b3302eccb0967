-- Notes that a lane was paused or resumed, while our lease lives.
-- $1 seller, $2 account, $3 the lease, $4 generation it was read with, $5 new state
update robnu.marketplace_accounts
set lane_state = $5, lane_checked_at = now()
where seller_id = $1 and id = $2 and lane_lease_until = $3 and lane_generation = $4
returning id

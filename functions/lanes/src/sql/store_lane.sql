-- Stores a lane's new state, while the lease under which it was read is still ours.
-- $1 seller, $2 account, $3 the lease, $4 generation it was read with, $5 new state, $6 new generation,
-- $7 queue URL, $8 mapping id, $9 whether it is the marketplace's parallel queue
update robnu.marketplace_accounts
set lane_state = $5, lane_generation = $6, lane_queue_url = $7, lane_mapping_id = $8, lane_shared = $9, lane_checked_at = now()
where seller_id = $1 and id = $2 and lane_lease_until = $3 and lane_generation = $4
returning id

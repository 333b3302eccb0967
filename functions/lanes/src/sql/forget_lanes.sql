-- Forgets lanes that are removed with their stack, so that another stack opens them again, and takes the lease from whoever works on
-- one, who then stores nothing. Runs keep their states. $1 lanes at most
update robnu.marketplace_accounts
set lane_state = 'REQUESTED', lane_generation = lane_generation + 1, lane_queue_url = null, lane_mapping_id = null,
  lane_shared = false, lane_lease_until = null
where id = any (array(
  select id from robnu.marketplace_accounts
  where lane_state in ('ACTIVE', 'PAUSED')
  limit $1
  for update skip locked))
returning id

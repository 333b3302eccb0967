-- Takes the active lanes that have waited longest for a check, and moves them to the end of the waiting line at once, so
-- that a lane that cannot be repaired holds up no other. $1 lanes at most, $2 seconds since the last look
update robnu.marketplace_accounts
set lane_checked_at = now()
where id = any (array(
  select id from robnu.marketplace_accounts
  where lane_state = 'ACTIVE' and lane_checked_at <= now() - make_interval(secs => $2)
  order by lane_checked_at
  limit $1
  for update skip locked))
returning seller_id, id

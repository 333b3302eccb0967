-- Accounts whose lane is not what their status asks for: the index holds only such accounts. Sellers take turns, an account
-- each, and both sellers and their accounts are drawn anew every time, so that neither one seller's many lanes nor lanes that
-- always fail keep the same others waiting when a round ends before all were worked on. $1 how many
select seller_id, id
from (
  select seller_id, id, row_number() over (partition by seller_id order by random()) as turn
  from robnu.marketplace_accounts
  where (status in ('ACTIVE', 'NEEDS_RECONNECT') and lane_state <> 'ACTIVE')
    or (status = 'PAUSED' and lane_state = 'ACTIVE')
    or (status = 'DISCONNECTED' and lane_state <> 'RETIRED')
) differing
order by turn, random()
limit $1

-- Accounts whose lane is not what their status asks for, page by page: the index holds only such accounts.
-- $1, $2 seller and account after which the page begins, $3 page size
select seller_id, id
from robnu.marketplace_accounts
where ((status in ('ACTIVE', 'NEEDS_RECONNECT') and lane_state <> 'ACTIVE')
    or (status = 'PAUSED' and lane_state = 'ACTIVE')
    or (status = 'DISCONNECTED' and lane_state <> 'RETIRED'))
  and (seller_id, id) > ($1, $2)
order by seller_id, id
limit $3

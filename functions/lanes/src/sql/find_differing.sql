-- Accounts whose lane differs from what lane_wanted asks for, or is of the other kind: the two indexes hold hardly any other rows. Sellers take turns
-- with one account each, and sellers and accounts are drawn in random order every time. So neither one seller's many lanes
-- nor lanes that always fail keep the same others waiting when a round ends early. $1 how many
select seller_id, id
from (
  select seller_id, id, row_number() over (partition by seller_id order by random()) as turn
  from (
    select seller_id, id from robnu.marketplace_accounts
    where (verified_at is not null and status = 'ACTIVE' and lane_state <> 'ACTIVE')
      or (verified_at is not null and status = 'PAUSED' and lane_state = 'ACTIVE')
      or (verified_at is not null and status = 'DISCONNECTED' and lane_state <> 'RETIRED')
      or (verified_at is null and lane_state in ('ACTIVE', 'PAUSED'))
      or (lane_state in ('ACTIVE', 'PAUSED') and (lane_kind = 'SHARED') <> lane_shared)
    union all
    select seller_id, id from robnu.marketplace_accounts
    where verified_at is not null and status = 'NEEDS_RECONNECT'
      and ((lane_state in ('REQUESTED', 'PAUSED'))
        or (lane_state = 'ACTIVE' and refused_since < now() - interval '7 days')
        or (lane_state = 'RETIRED' and refused_since >= now() - interval '7 days'))
  ) account
) differing
order by turn, random()
limit $1

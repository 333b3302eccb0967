-- Suspended sellers, in which all runs wait, and held marketplaces, oldest first. A filter leaves in what explains why its accounts get
-- nothing. $1 marketplace, $2 seller, $3 account; null: all. $4 how many
select 'SELLER_SUSPENDED' as what, null::text as marketplace, s.seller_id, null::uuid as account_id, s.seller_id as id, null::text as kind,
  s.suspended_at as since, 'suspended' as why, 1::bigint as count
from robnu.sellers s
where s.suspended_at is not null and ($2::uuid is null or s.seller_id = $2)
  and (coalesce($1::text, $3::uuid::text) is null or exists (
    select from robnu.marketplace_accounts a
    where a.seller_id = s.seller_id and ($1 is null or a.marketplace_code = $1) and ($3 is null or a.id = $3)))
union all
select 'MARKETPLACE_HELD', m.code, null, null, null, null, m.held_at, 'held_by_operator', 1
from robnu.marketplaces m
where m.held_at is not null and ($1 is null or m.code = $1) and (coalesce($2, $3) is null or exists (
  select from robnu.marketplace_accounts a
  where a.marketplace_code = m.code and ($2 is null or a.seller_id = $2) and ($3 is null or a.id = $3)))
order by since, id
limit $4

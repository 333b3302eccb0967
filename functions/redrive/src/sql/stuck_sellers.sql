-- Suspended sellers, in which all runs wait, oldest first. They belong to no marketplace and no account, so these filters leave them in:
-- they explain why the seller's account gets nothing. $1 marketplace, $2 seller, $3 account; null: all. $4 how many
select 'SELLER_SUSPENDED' as what, null::text as marketplace, s.seller_id, null::uuid as account_id, s.seller_id as id, null::text as kind,
  s.suspended_at as since, 'suspended' as why, 1::bigint as count
from robnu.sellers s
where s.suspended_at is not null and ($2::uuid is null or s.seller_id = $2)
  and (coalesce($1::text, $3::uuid::text) is null or exists (
    select from robnu.marketplace_accounts a
    where a.seller_id = s.seller_id and ($1 is null or a.marketplace_code = $1) and ($3 is null or a.id = $3)))
order by since, s.seller_id
limit $4

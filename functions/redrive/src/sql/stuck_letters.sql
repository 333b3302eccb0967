-- Open dead letters, oldest first: one row for those of an account, kind and reason, and one for each that nobody can read. Of more than
-- 1,000 only the oldest are looked at. $1 marketplace, $2 seller, $3 account; null: all. $4 how many
select 'DEAD_LETTER' as what, source as marketplace, seller_id, account_id, (array_agg(id order by sent_at, id))[1] as id, coalesce(kind, form) as kind,
  min(sent_at) as since, reason as why, count(*) as count
from (
  select source, seller_id, account_id, id, kind, form, sent_at, reason
  from robnu.dead_letters
  where state = 'OPEN' and ($1::text is null or source = $1) and ($2::uuid is null or seller_id = $2)
    and ($3::uuid is null or account_id = $3)
  order by sent_at, id
  limit 1000
) open
group by source, seller_id, account_id, coalesce(kind, form), reason, case form when 'UNREADABLE' then id end
order by since, id
limit $4

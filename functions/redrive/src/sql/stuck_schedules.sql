-- Schedules of active accounts that the scheduling sweep has not claimed in time, oldest first.
-- $1 marketplace, $2 seller, $3 account; null: all. $4 how many, $5 seconds that a schedule may be overdue
select 'SCHEDULE_OVERDUE' as what, a.marketplace_code as marketplace, d.seller_id, d.account_id, d.id, d.kind, d.next_due_at as since,
  'not_claimed' as why, 1::bigint as count
from robnu.schedules d
join robnu.marketplace_accounts a on a.seller_id = d.seller_id and a.id = d.account_id and a.status = 'ACTIVE' and a.verified_at is not null
join robnu.sellers s on s.seller_id = d.seller_id and s.suspended_at is null
where d.enabled and d.next_due_at < now() - make_interval(secs => $5) and ($1::text is null or a.marketplace_code = $1)
  and ($2::uuid is null or d.seller_id = $2) and ($3::uuid is null or d.account_id = $3)
order by since, d.id
limit $4

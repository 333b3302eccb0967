-- Exports that fail over and over, or that nobody works on, oldest first. They belong to a seller and to no account, so the filters of a
-- marketplace and an account leave them out. $1 marketplace, $2 seller, $3 account; null: all. $4 how many, $5 attempts without progress,
-- $6 seconds that a queued export may wait to be taken, $7 seconds that a lease may be overdue
select case when e.fruitless_attempts >= $5 then 'EXPORT_FAILING' else 'EXPORT_NOT_TAKEN' end as what, null::text as marketplace, e.seller_id,
  null::uuid as account_id, e.id, e.list as kind, coalesce(e.lease_expires_at, e.queued_at) as since,
  case
    when e.fruitless_attempts >= $5 then 'no_progress'
    when e.state = 'RUNNING' then 'lease_expired'
    else 'not_received'
  end as why,
  1::bigint as count
from robnu.exports e
where e.state in ('QUEUED', 'RUNNING') and coalesce($1::text, $3::uuid::text) is null and ($2::uuid is null or e.seller_id = $2)
  and (e.fruitless_attempts >= $5 or case e.state
    when 'RUNNING' then e.lease_expires_at < now() - make_interval(secs => $7)
    -- One that was begun is queued again between two of its parts. If its message is lost there, it becomes a dead letter.
    else e.started_at is null and e.queued_at < now() - make_interval(secs => $6) end)
order by since, e.id
limit $4

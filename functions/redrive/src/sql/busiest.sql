-- The accounts with the most live runs, those of the busiest seller first. $1 how many
select r.marketplace_code as marketplace, r.seller_id, r.account_id, count(*) as live_runs, count(*) filter (where r.trigger = 'FILE') as of_files,
  (sum(count(*)) over (partition by r.seller_id))::bigint as live_runs_of_seller,
  min(r.queued_at) filter (where r.state <> 'RUNNING') as oldest_waiting
from robnu.sync_runs r
where r.state in ('QUEUED', 'RUNNING', 'WAITING')
group by r.marketplace_code, r.seller_id, r.account_id
order by live_runs_of_seller desc, r.seller_id, live_runs desc, r.account_id
limit $1

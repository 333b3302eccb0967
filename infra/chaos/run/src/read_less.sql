-- Runs that read everything, and succeeded with fewer orders than the account's book has: a page of them was lost.
-- $1 marketplaces, $2 how many orders a book of each has
select a.external_account_id || ': a run read ' || coalesce(c.records, 0) + r.quarantined || ' orders of ' || book.orders || ', run ' || r.id
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id and a.display_name = a.external_account_id
join unnest($1::text[], $2::bigint[]) book (code, orders) on book.code = r.marketplace_code
left join lateral (
  select sum(c.added + c.changed + c.unchanged) as records from robnu.sync_run_counts c
  where c.seller_id = r.seller_id and c.run_id = r.id and c.stream = 'ORDERS') c on true
where r.kind = 'ORDERS' and r.state = 'SUCCEEDED' and r.changed_since is null and coalesce(c.records, 0) + r.quarantined < book.orders
order by r.id

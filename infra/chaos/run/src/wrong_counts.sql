-- Accounts whose runs say that they have added another number of rows than there are.
with counted as (
  select r.account_id, c.stream, sum(c.added - c.removed) as rows
  from robnu.sync_runs r join robnu.sync_run_counts c on c.seller_id = r.seller_id and c.run_id = r.id
  group by r.account_id, c.stream
), stored as (
  select account_id, 'ORDERS' as stream, count(*) as rows from robnu.orders group by account_id
  union all
  select o.account_id, 'ORDER_LINES', count(*) from robnu.orders o join robnu.order_items i on i.seller_id = o.seller_id and i.order_id = o.id
  group by o.account_id
  union all
  select account_id, 'RETURNS', count(*) from robnu.returns group by account_id
  union all
  select r.account_id, 'RETURN_LINES', count(*) from robnu.returns r join robnu.return_items i on i.seller_id = r.seller_id and i.return_id = r.id
  group by r.account_id
)
select s.stream || ' of ' || a.external_account_id || ': runs count ' || coalesce(c.rows, 0) || ', there are ' || s.rows
from stored s
join robnu.marketplace_accounts a on a.id = s.account_id and a.display_name = a.external_account_id
left join counted c on c.account_id = s.account_id and c.stream = s.stream
where coalesce(c.rows, 0) <> s.rows
order by 1

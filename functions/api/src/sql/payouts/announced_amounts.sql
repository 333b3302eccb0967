-- What is announced and not paid yet, by marketplace and currency.
select a.marketplace_code, n.currency, sum(n.amount) as amount, sum(n.entries)::bigint as entries
from robnu.announced_amounts n
join robnu.marketplace_accounts a on a.id = n.account_id
where n.entries > 0
group by a.marketplace_code, n.currency
order by a.marketplace_code, n.currency

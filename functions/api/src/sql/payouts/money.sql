-- What payouts brought in a span of time, by marketplace, currency and Indian week; how many of them do not add up, and what these lack of
-- what the marketplace states. $1 from, $2 before
select a.marketplace_code, p.currency, date_trunc('week', p.settled_at at time zone 'Asia/Kolkata')::date as week, count(*) as payouts,
  sum(p.net_amount) as settled,
  count(*) filter (where p.unbalanced_entries > 0 or coalesce(p.stated_amount, p.net_amount) <> p.net_amount) as unbalanced,
  sum(coalesce(p.stated_amount, p.net_amount) - p.net_amount) as difference
from robnu.payouts p
join robnu.marketplace_accounts a on a.id = p.account_id
where p.settled_at >= $1 and p.settled_at < $2
group by a.marketplace_code, p.currency, week
order by a.marketplace_code, p.currency, week

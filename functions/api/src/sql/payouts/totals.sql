-- The totals of one payout's lines, by type. $1 payout
select line_type, count(*) as lines, sum(net_amount) as net_amount
from robnu.payout_lines
where payout_id = $1
group by line_type
order by line_type

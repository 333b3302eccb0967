-- The totals of one payout's lines, by type. $1 payout
select l.line_type, count(*) as lines, sum(l.amount) as amount
from robnu.payout_entries e
join robnu.payout_lines l on l.entry_id = e.id
where e.payout_id = $1
group by l.line_type
order by l.line_type

-- What later runs changed in a payout, latest first. $1 payout, $2 below which id, $3 how many
select c.id, c.run_id, c.external_part_id, c.number, c.change, c.before::text as before, c.after::text as after, c.changed_at
from robnu.payout_changes c
where c.payout_id = $1 and c.id < $2
order by c.id desc
limit $3

-- What a run did to the rows of each stream that it wrote. $1 the run
select c.stream, c.added, c.changed, c.unchanged, c.removed
from robnu.sync_runs r
join robnu.sync_run_counts c on c.seller_id = r.seller_id and c.run_id = r.id
where r.step >= 0 and r.id = $1
order by c.stream

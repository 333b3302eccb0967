-- Notes which rings went out. $1 runs, $2 their steps, $3 their generations
update robnu.sync_runs r
set sent_at = now()
from unnest($1::uuid[], $2::int[], $3::int[]) as rung (id, step, generation)
where r.id = rung.id and r.step = rung.step and r.generation = rung.generation and r.state = 'QUEUED'

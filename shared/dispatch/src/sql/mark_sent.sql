-- Marks messages as sent. $1 runs, $2 their steps, $3 their generations
update robnu.sync_runs r
set sent_at = now()
from unnest($1::uuid[], $2::int[], $3::int[]) as sent (id, step, generation)
where r.id = sent.id and r.step = sent.step and r.generation = sent.generation and r.state = 'QUEUED'

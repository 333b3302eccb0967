-- Commits a page's progress with the page itself. Raises an error when the attempt is no longer the latest, so that the page is
-- rolled back.
-- $1 run, $2 step, $3 attempt, $4 lease in seconds, $5 next position, $6 complete until, $7 changed since, $8 quarantined,
-- $9 counts of each stream, as JSON
select robnu.advance_run($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)

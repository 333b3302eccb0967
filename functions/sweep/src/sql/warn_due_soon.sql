-- Warns of the seller's returns for which a claim must still be filed soon; the return's events show the warning. A return that
-- is locked at this moment, by a scan or a claim, is left to the next sweep. The table gives each warning once.
-- $1 returns
with due as (
  select id
  from robnu.returns
  where id = any ($1) and status <> 'CANCELLED' and condition is distinct from 'GOOD' and warned_at is null and warn_at < now()
    and file_by >= now()
  order by id
  for no key update skip locked
)
update robnu.returns
set warned_at = now(), updated_at = now()
where id in (select id from due)
returning id

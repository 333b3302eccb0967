-- Deletes counts of members' requests whose window is long past. $1 rows at most
with old as (
  select ctid from robnu.request_counts where window_start < now() - interval '1 hour'
  limit $1
  for update skip locked
)
delete from robnu.request_counts served using old where served.ctid = old.ctid
returning 1

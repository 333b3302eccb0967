-- Deletes counts of mails that were all made more than a day ago. $1 rows at most
with old as (
  select ctid from robnu.mail_counts where latest_at < now() - interval '25 hours'
  limit $1
  for update skip locked
)
delete from robnu.mail_counts served using old where served.ctid = old.ctid
returning 1

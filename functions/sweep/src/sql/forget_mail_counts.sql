-- Deletes counts of mails that are older than a day. $1 rows at most
select robnu.forget('mail_counts', $1) as forgotten

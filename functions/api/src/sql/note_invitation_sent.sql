-- Notes that the mail was handed over. $1 invitation
update robnu.invitations
set sent_at = now()
where id = $1
returning sent_at

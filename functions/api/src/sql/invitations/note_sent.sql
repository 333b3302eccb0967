-- Notes that the mail was handed over. $1 invitation, $2 when
update robnu.invitations
set sent_at = $2
where id = $1

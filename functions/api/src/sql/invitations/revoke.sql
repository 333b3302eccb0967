-- Revokes an open invitation. $1 invitation
update robnu.invitations
set revoked_at = now()
where id = $1 and accepted_at is null and revoked_at is null
returning id

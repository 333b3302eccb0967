-- Gives an open invitation a new token and a new term; the old token is void from now on. It does nothing within a minute of
-- the last mail, so that nobody's mailbox is filled, or while that mail may still be on its way. $1 invitation, $2 the new
-- token's hash
update robnu.invitations
set token_hash = $2, expires_at = now() + interval '7 days', sent_at = null
where id = $1 and accepted_at is null and revoked_at is null
  and token_made_at <= now() - case when sent_at is null then interval '5 seconds' else interval '1 minute' end
returning id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at, 'OPEN' as state

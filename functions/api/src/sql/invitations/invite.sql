-- A new invitation, unless too many are open. $1 email, $2 role or null, $3 scan_returns, $4 the token's hash,
-- $5 how many may be open
insert into robnu.invitations (seller_id, email, role, scan_returns, token_hash)
select robnu.app_current_seller_id(), $1, $2, $3, $4
where (select count(*) from robnu.invitations where accepted_at is null and revoked_at is null) < $5
returning id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at, 'OPEN' as state

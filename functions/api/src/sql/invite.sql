-- A new invitation, unless too many are open or were made in a day. $1 email, $2 role or null, $3 scan_returns,
-- $4 the token's hash, $5 how many may be open, $6 how many may be made in a day
insert into robnu.invitations (seller_id, email, role, scan_returns, token_hash)
select robnu.app_current_seller_id(), $1, $2, $3, $4
where (select count(*) from robnu.invitations where accepted_at is null and revoked_at is null) < $5
  and (select count(*) from robnu.invitations where created_at > now() - interval '1 day') < $6
returning id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at, 'OPEN' as state

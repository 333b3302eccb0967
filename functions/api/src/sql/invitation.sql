-- One invitation. $1 invitation
select id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at,
  case when accepted_at is not null then 'ACCEPTED' when revoked_at is not null then 'REVOKED'
    when expires_at <= now() then 'EXPIRED' else 'OPEN' end as state,
  sent_at > now() - interval '1 minute' as was_just_sent
from robnu.invitations
where id = $1

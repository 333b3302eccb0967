-- One invitation. $1 invitation
select id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at,
  case when accepted_at is not null then 'ACCEPTED' when revoked_at is not null then 'REVOKED'
    when expires_at <= now() then 'EXPIRED' else 'OPEN' end as state,
  token_made_at > now() - case when sent_at is null then interval '5 seconds' else interval '1 minute' end as was_just_sent
from robnu.invitations
where id = $1

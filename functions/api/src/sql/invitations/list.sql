-- The invitations before an invitation, newest first. $1 invitation, $2 how many
select id, email, role, scan_returns, created_at, expires_at, sent_at, accepted_at, revoked_at,
  case when accepted_at is not null then 'ACCEPTED' when revoked_at is not null then 'REVOKED'
    when expires_at <= now() then 'EXPIRED' else 'OPEN' end as state
from robnu.invitations
where id < $1
order by id desc
limit $2

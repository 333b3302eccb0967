-- Ends the lease of a renewal that brought no token. $1 account, $2 renewal, $3 what others are told or null, $4 for how many seconds
update robnu.access_tokens
set renewal_id = null, renewal_until = null, failure = $3::text,
  failed_until = case when $3::text is not null then now() + make_interval(secs => $4) end
where account_id = $1 and renewal_id = $2

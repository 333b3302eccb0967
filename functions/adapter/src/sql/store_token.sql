-- Stores the token that a renewal has fetched and ends its lease. It changes nothing when another renewal has taken over, or when the
-- credentials were replaced. $1 account, $2 renewal, $3 ciphertext, $4 seconds until the next renewal, $5 seconds until the token expires
update robnu.access_tokens
set token_id = renewal_id, token_enc = $3, issued_at = now(),
  renew_at = now() + make_interval(secs => $4), expires_at = now() + make_interval(secs => $5),
  renewal_id = null, renewal_until = null, failure = null, failed_until = null
where account_id = $1 and renewal_id = $2
returning token_id

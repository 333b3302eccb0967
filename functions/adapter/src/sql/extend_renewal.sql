-- Extends the lease of a renewal, unless another one has taken it over. $1 account, $2 renewal, $3 lease in seconds
update robnu.access_tokens set renewal_until = now() + make_interval(secs => $3)
where account_id = $1 and renewal_id = $2

-- Counts a check before the marketplace is asked, or says for how many seconds it must wait. $1 check, $2 marketplace code, $3 digest of
-- the user name or null, $4 account
select robnu.begin_credential_check($1, $2, $3, $4) as wait_seconds

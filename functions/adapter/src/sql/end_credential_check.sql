-- Ends a check that the caller began. $1 check, $2 the outcome
select robnu.end_credential_check($1, $2)

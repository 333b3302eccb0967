-- Deletes checks of credentials that count no more. $1 rows at most
select robnu.forget('credential_checks', $1) as forgotten

-- Deletes checks of credentials that no longer count. $1 rows at most
select robnu.forget('credential_checks', $1) as forgotten

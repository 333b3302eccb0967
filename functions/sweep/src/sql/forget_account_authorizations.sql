-- Deletes expired authorizations, whether consent was given or not. $1 rows at most
select robnu.forget('account_authorizations', $1) as forgotten

-- Deletes consents that are waited for no longer, whether they came or not. $1 rows at most
select robnu.forget('account_authorizations', $1) as forgotten

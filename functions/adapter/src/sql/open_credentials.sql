-- Lets the rest of the transaction read the account's credentials, and notes in the audit trail that it did.
-- $1 account, $2 purpose
select robnu.open_credentials($1, $2)

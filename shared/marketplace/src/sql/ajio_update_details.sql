-- Replaces how to sign in to AJIO for an account of the current seller. $1 account, $2 … username, encrypted password
select robnu.replace_ajio_account_details($1, $2, $3)

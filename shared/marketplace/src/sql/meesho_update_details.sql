-- Replaces how to sign in to Meesho for an account of the current seller.
-- $1 account, $2 … supplier id, encrypted API key, encrypted API secret; the last two may be null
select robnu.replace_meesho_account_details($1, $2, $3, $4)

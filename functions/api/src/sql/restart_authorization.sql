-- Notes that a seller is sent to a consent page for an account that is there already.
-- $1 authorization, $2 hash of the state, $3 account, $4 codes of the marketplaces that have such a page
insert into robnu.account_authorizations (seller_id, id, state_hash, marketplace_code, external_account_id, account_id)
select seller_id, $1, $2, marketplace_code, external_account_id, id
from robnu.marketplace_accounts
where id = $3 and marketplace_code = any ($4)
returning marketplace_code, expires_at

-- Notes that a seller is sent to a consent page for a new account, if its marketplace can be connected.
-- $1 seller, $2 authorization, $3 hash of the state, $4 marketplace code, $5 the account's id there or null, $6 the account's name
insert into robnu.account_authorizations (seller_id, id, state_hash, marketplace_code, external_account_id, display_name)
select $1, $2, $3, code, $5, $6
from robnu.marketplaces
where code = $4 and status = 'ACTIVE'
returning marketplace_code, expires_at

-- Notes that a seller is sent to a consent page for an existing account, if its marketplace can be connected.
-- $1 authorization, $2 hash of the state, $3 account, $4 codes of the marketplaces that have such a page
insert into robnu.account_authorizations (seller_id, id, state_hash, marketplace_code, external_account_id, account_id)
select a.seller_id, $1, $2, a.marketplace_code, a.external_account_id, a.id
from robnu.marketplace_accounts a join robnu.marketplaces m on m.code = a.marketplace_code and m.status = 'ACTIVE'
where a.id = $3 and a.marketplace_code = any ($4)
returning marketplace_code, expires_at

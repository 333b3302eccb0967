-- Finds sellers' data keys and the KMS keys that wrapped them, in a fixed order. Keys that somebody holds a lease on are left out,
-- and those of suspended sellers, in whose scopes no sweep works.
-- $1 and $2 the key to continue after: its seller and its id; $3 keys at most
select k.seller_id, k.id as key_id, k.kms_key_id
from robnu.seller_keys k
join robnu.sellers seller on seller.seller_id = k.seller_id and seller.suspended_at is null
where k.lease_expires_at <= now() and (k.seller_id, k.id) > ($1, $2)
order by k.seller_id, k.id
limit $3

-- Finds sellers that need a new data key, or have more than one, in a fixed order. Suspended sellers are left out: no sweep works in
-- their scopes.
-- $1 the seller to continue after, $2 the days for which a data key seals, $3 sellers at most, $4 only this seller, whose key is due
-- whatever its age; null for all
select found.seller_id, found.newest, found.older, found.is_due, found.is_ready
from (
  select k.seller_id, (array_agg(k.id order by k.id desc))[1] as newest, (array_agg(k.id order by k.id desc))[2:] as older,
    $4::uuid is not null or max(k.created_at) < now() - make_interval(days => $2) as is_due,
    max(k.created_at) <= now() - robnu.data_key_wait() as is_ready
  from robnu.seller_keys k
  join robnu.sellers seller on seller.seller_id = k.seller_id and seller.suspended_at is null
  where k.seller_id > $1 and ($4::uuid is null or k.seller_id = $4)
  group by k.seller_id
) as found
where found.is_due or cardinality(found.older) > 0
order by found.seller_id
limit $3

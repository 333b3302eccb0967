-- Finds sellers whose raw pages wait for an object, and since when the oldest does. Suspended sellers are left out, in whose scopes no
-- sweep works.
-- $1 the seller to continue after, $2 sellers at most
select p.seller_id, extract(epoch from now() - min(p.fetched_at))::bigint / 60 as oldest_minutes
from robnu.raw_pages p
join robnu.sellers seller on seller.seller_id = p.seller_id and seller.suspended_at is null
where p.stored_at is null and p.seller_id > $1
group by p.seller_id
order by p.seller_id
limit $2

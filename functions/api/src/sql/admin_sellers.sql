-- Sellers before a seller, newest first. $1 seller, $2 how many, $3 beginning of the name or null, $4 whether suspended, or null
select seller_id, name, suspended_at, suspension_reason, created_at
from robnu.sellers
where seller_id < $1
  and ($3::text is null or starts_with(lower(name), lower($3)))
  and ($4::boolean is null or (suspended_at is not null) = $4)
order by seller_id desc
limit $2

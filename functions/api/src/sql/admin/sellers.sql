-- Sellers before a seller, newest first.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 seller, $2 how many, $3 beginning of the name or null, $4 whether suspended, or null
select s.seller_id, s.name, s.suspended_at, s.suspension_reason, s.created_at, s.matches, s.ends_scan
from (
  select s.*, row_number() over (order by s.seller_id desc) = 2000 as ends_scan,
    ($3::text is null or starts_with(lower(s.name), lower($3)))
    and ($4::boolean is null or (s.suspended_at is not null) = $4) as matches
  from (
    select seller_id, name, suspended_at, suspension_reason, created_at from robnu.sellers
    where seller_id < $1
    order by seller_id desc
    limit 2000
  ) s
) s
where s.matches or s.ends_scan
order by s.seller_id desc
limit $2

-- The seller's claims that are so far, oldest first.
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; the last comes as well, with ends_scan.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, reason, made from, made before
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $7::text is null then $3::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $4::uuid is null then true else m.id = $4 end
    and case when $5::text is null then true else m.marketplace_code = $5 end
)
select c.id, c.return_id, c.account_id, c.marketplace_code, c.status, c.reason, c.note, c.marketplace_reference, c.currency,
  c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at, c.acknowledged_at, c.resolved_at, c.version,
  c.created_at, c.updated_at, c.matches, c.place = c.depth as ends_scan
from (
  select c.*, chosen.marketplace_code, chosen.depth, row_number() over (order by c.created_at, c.id) as place,
    case when $7::text is null then true else c.reason = $7 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.claims c
      where c.account_id = chosen.account
        and c.status = $6
        and (c.created_at, c.id) > (greatest($1, $8::timestamptz), case when $8 > $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
        and (c.created_at, c.id) < (case when $9::timestamptz is null then 'infinity' else $9 end, '00000000-0000-0000-0000-000000000000'::uuid)
      order by c.created_at nulls first, c.id nulls first
      limit 2000
    ) nearest
    limit chosen.depth
  ) c
) c
where c.place <= c.depth and (c.matches or c.place = c.depth)
order by c.created_at, c.id
limit $3

-- The seller's claims, oldest first.
-- Looks at 2,000 rows at most: the last of these comes as well, with ends_scan, whether it matches or not.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, reason, made from, made before
select c.id, c.return_id, c.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = c.account_id) as marketplace_code, c.status,
  c.reason, c.note, c.marketplace_reference, c.currency, c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at,
  c.acknowledged_at, c.resolved_at, c.version, c.created_at, c.updated_at, c.matches, c.ends_scan
from (
  select c.*, row_number() over (order by c.created_at, c.id) = 2000 as ends_scan,
    case when $4::uuid is null then true else c.account_id = $4 end
    and case when $5::text is null then true else c.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $5) end
    and case when $6::text is null then true else c.status = $6 end
    and case when $7::text is null then true else c.reason = $7 end as matches
  from (
    select * from robnu.claims c
    where (c.created_at, c.id) > (greatest($1, $8::timestamptz), case when $8 > $1 then '00000000-0000-0000-0000-000000000000'::uuid else $2 end)
      and (c.created_at, c.id) < (case when $9::timestamptz is null then 'infinity' else $9 end, '00000000-0000-0000-0000-000000000000'::uuid)
    order by c.created_at, c.id
    limit 2000
  ) c
) c
where c.matches or c.ends_scan
order by c.created_at, c.id
limit $3

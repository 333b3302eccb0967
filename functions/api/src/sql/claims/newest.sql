-- The seller's claims, newest first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, reason
select c.id, c.return_id, c.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = c.account_id) as marketplace_code, c.status,
  c.reason, c.file_by, c.note, c.marketplace_reference, c.currency, c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at,
  c.acknowledged_at, c.resolved_at, c.version, c.created_at, c.updated_at, c.matches, c.ends_scan
from (
  select c.*, row_number() over (order by c.created_at desc, c.id desc) = 2000 as ends_scan,
    case when $6::uuid is null then true else c.account_id = $6 end
    and case when $7::text is null then true else c.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else c.status = $8 end
    and case when $9::text is null then true else c.reason = $9 end as matches
  from (
    select * from robnu.claims c
    where (c.created_at, c.id) < ($1, $2) and (c.created_at, c.id) > ($3, $4)
    order by c.created_at desc, c.id desc
    limit 2000
  ) c
) c
where c.matches or c.ends_scan
order by c.created_at desc, c.id desc
limit $5

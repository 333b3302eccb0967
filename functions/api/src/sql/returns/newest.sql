-- The seller's returns, latest started first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, internal status,
-- type, claims to be filed before
select r.id, r.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = r.account_id) as marketplace_code,
  r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id, r.return_type, r.status,
  r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at, r.expected_at,
  r.delivered_at, r.missing_at, r.file_by, r.warned_at, r.received_at, r.received_by, r.condition,
  r.condition_reason, r.condition_quantity, r.matches, r.ends_scan
from (
  select r.*, row_number() over (order by r.initiated_at desc, r.id desc) = 2000 as ends_scan,
    case when $6::uuid is null then true else r.account_id = $6 end
    and case when $7::text is null then true else r.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else r.status = $8 end
    and case when $9::text is null then true else r.internal_status = $9 end
    and case when $10::text is null then true else r.return_type = $10 end
    and case when $11::timestamptz is null then true else r.file_by < $11 end as matches
  from (
    select * from robnu.returns r
    where (r.initiated_at, r.id) < ($1, $2) and (r.initiated_at, r.id) > ($3, $4)
    order by r.initiated_at desc, r.id desc
    limit 2000
  ) r
) r
where r.matches or r.ends_scan
order by r.initiated_at desc, r.id desc
limit $5

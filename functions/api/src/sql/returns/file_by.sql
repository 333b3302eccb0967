-- The returns that can still be claimed for until a known date, by that date: not cancelled, not received in good condition, and
-- without a claim that was filed or cancelled.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, internal status,
-- type, started from, started before
select r.id, r.account_id,
  (select m.marketplace_code from robnu.marketplace_accounts m where m.id = r.account_id) as marketplace_code,
  r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id, r.return_type, r.status,
  r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at, r.expected_at,
  r.delivered_at, r.missing_at, r.file_by, r.warned_at, r.received_at, r.received_by, r.condition,
  r.condition_reason, r.condition_quantity, r.matches, r.ends_scan
from (
  select r.*, row_number() over (order by r.file_by, r.id) = 2000 as ends_scan,
    case when $6::uuid is null then true else r.account_id = $6 end
    and case when $7::text is null then true else r.account_id in (select m.id from robnu.marketplace_accounts m where m.marketplace_code = $7) end
    and case when $8::text is null then true else r.status = $8 end
    and case when $9::text is null then true else r.internal_status = $9 end
    and case when $10::text is null then true else r.return_type = $10 end
    and case when $11::timestamptz is null then true else r.initiated_at >= $11 end
    and case when $12::timestamptz is null then true else r.initiated_at < $12 end
    and r.status <> 'CANCELLED' and r.condition is distinct from 'GOOD'
    -- A claim that the platform has made and nobody has filed does not count.
    and (select true from robnu.claims c where c.return_id = r.id and (c.filed_at is not null or c.status = 'CANCELLED')) is null as matches
  from (
    select * from robnu.returns r
    where (r.file_by, r.id) < ($1, $2) and (r.file_by, r.id) > ($3, $4) and r.file_by >= now()
    order by r.file_by, r.id
    limit 2000
  ) r
) r
where r.matches or r.ends_scan
order by r.file_by, r.id
limit $5

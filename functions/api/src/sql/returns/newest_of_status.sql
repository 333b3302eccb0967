-- The seller's returns with one status, latest started first; last in the reversed statement (both_ways.rs).
-- Looks at 2,000 rows at most, shared by the accounts that the filters leave; also returns the last, with ends_scan.
-- $1, $2 key below which and $3, $4 key above which, $5 how many; $6 … filters, each or null: account, marketplace, status, internal status,
-- type, claims to be filed before
with chosen as materialized (
  select m.id as account, m.marketplace_code, least(case when $9::text is null and $10::text is null and $11::timestamptz is null then $5::bigint else 2000 end, greatest(2000 / count(*) over (), 1)) as depth
  from robnu.marketplace_accounts m
  where case when $6::uuid is null then true else m.id = $6 end
    and case when $7::text is null then true else m.marketplace_code = $7 end
)
select r.id, r.account_id, r.marketplace_code, r.external_return_id, r.order_id, r.external_order_id,
  r.external_shipment_id, r.return_type, r.status, r.marketplace_status, r.internal_status, r.reason, r.carrier,
  r.tracking_number, r.initiated_at, r.expected_at, r.delivered_at, r.missing_at, r.file_by, r.warned_at, r.received_at, r.received_by, r.condition,
  r.condition_reason, r.condition_quantity, r.matches,
  r.place = r.depth as ends_scan
from (
  select r.*, chosen.marketplace_code, chosen.depth, row_number() over (order by r.initiated_at desc, r.id desc) as place,
    case when $9::text is null then true else r.internal_status = $9 end
    and case when $10::text is null then true else r.return_type = $10 end
    and case when $11::timestamptz is null then true else r.file_by < $11 end as matches
  from chosen cross join lateral (
    select nearest.* from (
      select * from robnu.returns r
      where r.account_id = chosen.account
        and r.status = $8
        and (r.initiated_at, r.id) < ($1, $2) and (r.initiated_at, r.id) > ($3, $4)
      order by r.initiated_at desc nulls last, r.id desc nulls last
      limit 2000
    ) nearest
    limit chosen.depth
  ) r
) r
where r.place <= r.depth and (r.matches or r.place = r.depth)
order by r.initiated_at desc, r.id desc
limit $5

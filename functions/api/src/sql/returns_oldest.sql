-- The seller's returns, first begun first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, internal status, type,
-- begun from, begun before, claim due before
select r.id, r.account_id, a.marketplace_code, r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id,
  r.return_type, r.status, r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at,
  r.expected_at, r.delivered_at, r.claim_due_at, r.received_at, r.received_by
from robnu.returns r join robnu.marketplace_accounts a on a.id = r.account_id
where (r.initiated_at, r.id) > ($1, $2)
  and ($4::uuid is null or r.account_id = $4) and ($5::text is null or a.marketplace_code = $5)
  and ($6::text is null or r.status = $6) and ($7::text is null or r.internal_status = $7)
  and ($8::text is null or r.return_type = $8)
  and ($9::timestamptz is null or r.initiated_at >= $9) and ($10::timestamptz is null or r.initiated_at < $10)
  and ($11::timestamptz is null or r.claim_due_at < $11)
order by r.initiated_at, r.id
limit $3

-- The seller's returns, latest begun first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, internal status, type,
-- begun from, begun before, claim due before
select r.id, r.account_id, a.marketplace_code, r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id,
  r.return_type, r.status, r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at,
  r.expected_at, r.delivered_at, r.claim_due_at, r.received_at, r.received_by
from robnu.returns r join robnu.marketplace_accounts a on a.id = r.account_id
where (r.initiated_at, r.id) < ($1, $2)
  and case when $4::uuid is null then true else r.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else r.status = $6 end
  and case when $7::text is null then true else r.internal_status = $7 end
  and case when $8::text is null then true else r.return_type = $8 end
  and case when $9::timestamptz is null then true else r.initiated_at >= $9 end
  and case when $10::timestamptz is null then true else r.initiated_at < $10 end
  and case when $11::timestamptz is null then true else r.claim_due_at < $11 end
order by r.initiated_at desc, r.id desc
limit $3

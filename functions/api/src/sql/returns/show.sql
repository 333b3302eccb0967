-- One return. $1 return
select r.id, r.account_id, a.marketplace_code, r.external_return_id, r.order_id, r.external_order_id, r.external_shipment_id,
  r.return_type, r.status, r.marketplace_status, r.internal_status, r.reason, r.carrier, r.tracking_number, r.initiated_at,
  r.expected_at, r.delivered_at, r.missing_at, r.file_by, r.warned_at, r.received_at, r.received_by, r.condition,
  r.condition_reason, r.condition_quantity, r.document_kind, r.document_number, r.notes
from robnu.returns r join robnu.marketplace_accounts a on a.id = r.account_id
where r.id = $1

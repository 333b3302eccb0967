-- Makes a document's row, before its upload. It returns no row when there is no such order, shipment, return or claim.
-- $1 document, $2 type, $3 ORDER, SHIPMENT, RETURN or CLAIM, $4 its id, $5 bucket, $6 content type, $7 size, $8 SHA-256, $9 KMS key,
-- $10 file name
insert into robnu.storage_objects (seller_id, id, account_id, kind, document_type, order_id, shipment_id, return_id, claim_id, bucket,
  content_type, size, checksum, kms_key, file_name)
select (select robnu.app_current_seller_id()), $1, p.account_id, 'DOCUMENT', $2, p.order_id, p.shipment_id, p.return_id, p.claim_id, $5, $6, $7,
  $8, $9, $10
from (
  select o.account_id, o.id as order_id, null::uuid as shipment_id, null::uuid as return_id, null::uuid as claim_id
  from robnu.orders o
  where $3::text = 'ORDER' and o.id = $4
  union all
  select o.account_id, o.id, s.id, null, null
  from robnu.shipments s join robnu.orders o on o.id = s.order_id
  where $3 = 'SHIPMENT' and s.id = $4
  union all
  select r.account_id, r.order_id, null, r.id, null
  from robnu.returns r
  where $3 = 'RETURN' and r.id = $4
  union all
  select c.account_id, r.order_id, null, c.return_id, c.id
  from robnu.claims c join robnu.returns r on r.id = c.return_id
  where $3 = 'CLAIM' and c.id = $4
) p
returning id

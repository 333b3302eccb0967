-- The seller's documents, newest first: before document $1, $2 of them. Narrower lists and single documents: variants.rs.
select d.id, d.account_id, a.marketplace_code, d.document_type, d.order_id, d.shipment_id, d.return_id, d.claim_id, d.file_name, d.content_type,
  d.size, d.checksum, d.state, d.version_id, d.created_by, d.created_at, d.stored_at
from (
  select id, account_id, document_type, order_id, shipment_id, return_id, claim_id, file_name, content_type, size, checksum, state, version_id,
    created_by, created_at, stored_at
  from robnu.storage_objects
  where kind = 'DOCUMENT' and state <> 'DELETED' and id < $1 order by id desc limit $2
) d
join robnu.marketplace_accounts a on a.id = d.account_id
order by d.id desc

-- The seller's documents and imported files that are in the bucket, in the order in which they were made.
-- $1 the file behind which the page begins, $2 the file that it may begin with, null for any, $3 how many
select id, account_id, document_type, order_id, shipment_id, return_id, claim_id, marketplace_code, content_type, size, checksum, version_id
from robnu.storage_objects
where kind in ('DOCUMENT', 'IMPORT') and state = 'STORED' and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
  and id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
order by id
limit $3

-- The claim for a return. $1 return
select c.id, c.return_id, c.account_id, a.marketplace_code, c.status, c.reason, c.file_by, c.note, c.marketplace_reference, c.currency,
  c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at, c.acknowledged_at, c.resolved_at, c.version, c.created_at,
  c.updated_at
from robnu.claims c join robnu.marketplace_accounts a on a.id = c.account_id
where c.return_id = $1

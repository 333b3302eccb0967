-- The seller's claims, newest first.
-- $1 and $2 where to go on, $3 how many; $4 … filters, each or null: account, marketplace, status, reason, made from, made before
select c.id, c.return_id, c.account_id, a.marketplace_code, c.status, c.reason, c.note, c.marketplace_reference, c.currency,
  c.claimed_amount, c.recovered_amount, c.status_reason, c.filed_at, c.acknowledged_at, c.resolved_at, c.version, c.created_at,
  c.updated_at
from robnu.claims c join robnu.marketplace_accounts a on a.id = c.account_id
where (c.created_at, c.id) < ($1, $2)
  and case when $4::uuid is null then true else c.account_id = $4 end
  and case when $5::text is null then true else a.marketplace_code = $5 end
  and case when $6::text is null then true else c.status = $6 end
  and case when $7::text is null then true else c.reason = $7 end
  and case when $8::timestamptz is null then true else c.created_at >= $8 end
  and case when $9::timestamptz is null then true else c.created_at < $9 end
order by c.created_at desc, c.id desc
limit $3

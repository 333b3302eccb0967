-- Files a claim for a return: a new one, or the existing one that was not filed yet because it is pending, or was reopened
-- when the return arrived after all. The table rejects a reason that state and window do not allow.
-- $1 return, $2 reason, $3 note, $4 marketplace's reference, $5 amount
insert into robnu.claims as c (seller_id, return_id, reason, note, marketplace_reference, claimed_amount, currency)
select (select robnu.app_current_seller_id()), r.id, $2, $3, $4, $5, coalesce(r.currency, 'INR')
from robnu.returns r
where r.id = $1
on conflict (seller_id, return_id) do update
set status = 'FILED', status_reason = null, reason = excluded.reason, note = excluded.note,
  marketplace_reference = excluded.marketplace_reference, claimed_amount = excluded.claimed_amount, currency = excluded.currency, updated_at = now()
where c.status = 'PENDING' or (c.status = 'REOPENED_WITH_EVIDENCE' and c.filed_at is null)
returning c.id

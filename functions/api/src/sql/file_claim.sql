-- Files a claim for a return, or the pending one that there is; the table refuses when state and window do not allow the reason.
-- $1 return, $2 reason, $3 note, $4 marketplace's reference, $5 amount
insert into robnu.claims as c (seller_id, return_id, reason, note, marketplace_reference, claimed_amount, currency)
select (select robnu.app_current_seller_id()), r.id, $2, $3, $4, $5, coalesce(r.currency, 'INR')
from robnu.returns r
where r.id = $1
on conflict (seller_id, return_id) do update
set status = 'FILED', reason = excluded.reason, note = excluded.note, marketplace_reference = excluded.marketplace_reference,
  claimed_amount = excluded.claimed_amount, currency = excluded.currency, updated_at = now()
where c.status = 'PENDING'
returning c.id

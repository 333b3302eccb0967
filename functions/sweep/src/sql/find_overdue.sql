-- Finds returns that did not arrive in time: not received, not cancelled, without a claim, in the order in which they fell
-- due. Returns of suspended sellers are left out.
-- $1, $2 and $3 the return to continue after: the end of its claim window, its seller and its id; $4 returns at most
select r.claim_due_at, r.seller_id, r.id
from robnu.returns r
join robnu.sellers seller on seller.seller_id = r.seller_id and seller.suspended_at is null
where r.internal_status = 'EXPECTED' and r.status <> 'CANCELLED' and r.claim_due_at < now()
  and (r.claim_due_at, r.seller_id, r.id) > ($1, $2, $3)
  -- A subquery instead of a join, so that each return looks up its own claim whatever the planner estimates.
  and (select c.return_id from robnu.claims c where c.seller_id = r.seller_id and c.return_id = r.id) is null
order by r.claim_due_at, r.seller_id, r.id
limit $4

-- Finds returns that did not arrive in time: not received, not cancelled, without a claim, in the order in which they fell
-- due. Returns of suspended sellers are left out, and those for which a claim would come too late.
-- $1, $2 and $3 the return to continue after: when it fell due, its seller and its id; $4 returns at most
select r.pending_at as due_at, r.seller_id, r.id
from robnu.returns r
join robnu.sellers seller on seller.seller_id = r.seller_id and seller.suspended_at is null
where r.internal_status = 'EXPECTED' and r.status <> 'CANCELLED' and r.pending_at < now() and coalesce(r.file_by >= now(), true)
  and (r.pending_at, r.seller_id, r.id) > ($1, $2, $3)
  -- A subquery instead of a join, so that each return looks up its own claim whatever the planner estimates.
  and (select c.return_id from robnu.claims c where c.seller_id = r.seller_id and c.return_id = r.id) is null
order by r.pending_at, r.seller_id, r.id
limit $4

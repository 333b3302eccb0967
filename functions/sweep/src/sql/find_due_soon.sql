-- Finds returns for which a claim must be filed soon: not cancelled, not received in good condition, not warned of before, and
-- without a claim that was filed or cancelled, in the order in which the warnings fell due. Returns of suspended sellers are left
-- out.
-- $1, $2 and $3 the return to continue after: when its warning fell due, its seller and its id; $4 returns at most
select r.warn_at as due_at, r.seller_id, r.id
from robnu.returns r
join robnu.sellers seller on seller.seller_id = r.seller_id and seller.suspended_at is null
where r.status <> 'CANCELLED' and r.condition is distinct from 'GOOD' and r.warned_at is null and r.warn_at < now() and r.file_by >= now()
  -- No warning is given earlier than three days before its deadline, so older ones are of no use and need not be read.
  and r.warn_at >= now() - interval '3 days'
  and (r.warn_at, r.seller_id, r.id) > ($1, $2, $3)
  and (
    select c.return_id from robnu.claims c
    where c.seller_id = r.seller_id and c.return_id = r.id and (c.filed_at is not null or c.status = 'CANCELLED')) is null
order by r.warn_at, r.seller_id, r.id
limit $4

-- Suspends a seller after all earlier writers have finished; a suspended seller keeps the time of its suspension. Locks the
-- row first, so that a writer that it waits for can still change the seller. $1 seller, $2 reason
with held as materialized (
  select seller_id from robnu.sellers where seller_id = $1 for update
)
update robnu.sellers s
set suspended_at = coalesce(s.suspended_at, now()), suspension_reason = $2, updated_at = now()
from held
where s.seller_id = held.seller_id
returning s.seller_id, s.name, s.suspended_at, s.suspension_reason, s.created_at

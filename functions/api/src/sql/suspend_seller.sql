-- Suspends a seller; one that is suspended keeps its time. $1 seller, $2 reason
update robnu.sellers
set suspended_at = coalesce(suspended_at, now()), suspension_reason = $2, updated_at = now()
where seller_id = $1
returning seller_id, name, suspended_at, suspension_reason, created_at

-- Ends a seller's suspension. $1 seller
update robnu.sellers
set suspended_at = null, suspension_reason = null, updated_at = now()
where seller_id = $1
returning seller_id, name, suspended_at, suspension_reason, created_at

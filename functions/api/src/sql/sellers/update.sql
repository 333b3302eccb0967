-- Changes the seller of the scope, if it still has the version. Fields that are not given stay as they are.
-- $1 name or null, $2 version or null, $3 whether a claim window is given, $4 claim window in days or null
update robnu.sellers
set name = coalesce($1, name), claim_window_days = case when $3 then $4 else claim_window_days end, updated_at = now()
where $2::integer is null or version = $2
returning seller_id

-- Changes the seller of the scope, if it still has the version. A field that is not given stays as it is.
-- $1 name or null, $2 version or null
update robnu.sellers
set name = coalesce($1, name), updated_at = now()
where $2::integer is null or version = $2
returning seller_id

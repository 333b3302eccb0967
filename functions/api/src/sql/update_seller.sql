-- Changes the seller of the scope, if it still has the version. Null leaves a field as it is.
-- $1 name, $2 version or null
update robnu.sellers
set name = coalesce($1, name), updated_at = now()
where $2::integer is null or version = $2
returning seller_id

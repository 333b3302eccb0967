-- The seller's wrapped data key.
select id, wrapped_key from robnu.seller_keys order by id desc limit 1

-- The seller's wrapped data key.
select id, wrapped_key from robnu.seller_keys

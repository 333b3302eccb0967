-- The seller's wrapped data keys.
select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys

-- The customer of an opened order, encrypted. $1 order
select customer_name_enc, customer_phone_enc, customer_email_enc, address_enc, postal_code_enc
from robnu.order_pii
where order_id = $1

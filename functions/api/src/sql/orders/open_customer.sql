-- Lets the rest of the transaction read an order's customer, and notes that in the audit trail. $1 order
select robnu.open_customer($1)

-- Lets the rest of the transaction read an order's customer, and notes in the audit trail that it did. $1 order
select robnu.open_customer($1)

-- Deletes customers of orders that were delivered, or else last changed, longer ago than their marketplace permits. $1 rows at most
select robnu.forget('customers', $1) as forgotten

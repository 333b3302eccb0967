-- Deletes records that could be read, and notes why the others cannot. $1 account; $2 and $3 arrays: ids, reasons or null
select robnu.settle_quarantined($1, $2, $3)

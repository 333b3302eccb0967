-- Removes the lines that a page's returns no longer have, and counts them.
-- $1 account; $2 return ids, $3 their statuses, $4 their stamps; $5 return id and $6 line id of every line on the page
select robnu.remove_vanished_return_items($1, $2, $3, $4, $5, $6) as removed

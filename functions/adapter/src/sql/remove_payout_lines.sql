-- Removes the lines that a page's entries no longer have, and counts them. $1 account; $2 … arrays, one element per entry: part, number,
-- digest, how many lines it has
select robnu.remove_vanished_payout_lines($1, $2, $3, $4, $5) as removed

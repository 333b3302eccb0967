-- Removes the entries that a page does away with, and counts them. $1 account; $2 parts, $3 how many entries each has, $4 whether it is in
-- a payout; $5 subjects that are paid, $6 payouts
select robnu.remove_superseded_payout_entries($1, $2, $3, $4, $5, $6) as removed

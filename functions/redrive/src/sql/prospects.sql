-- What a redrive would do with open dead letters now, and with how many. $1 source, $2 seller, $3 account, $4 kind, $5 reason, $6 and $7
-- since and before when, $8 ids; null: all
select prospect, count(*) as letters
from robnu.dead_letter_prospects($1, $2, $3, $4, $5, $6, $7, $8)
group by prospect

-- Whether there is such a payout. $1 payout
select id from robnu.payouts where id = $1

-- Whether the payout exists. $1 payout
select id from robnu.payouts where id = $1

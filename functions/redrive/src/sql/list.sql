-- A page of dead letters, newest first. $1 source, $2 seller, $3 account, $4 kind, $5 reason, $6 and $7 since and before when; null: all.
-- $8 state or null, $9 the last id of the page before or null, $10 how many
select id, state, outcome, source, form, reason, sent_at, recorded_at, seller_id, account_id, run_id, kind, closed_at, closed_by,
  close_reason, published_at
from robnu.dead_letters
where ($1::text is null or source = $1) and ($2::uuid is null or seller_id = $2) and ($3::uuid is null or account_id = $3)
  and ($4::text is null or kind = $4) and ($5::text is null or reason = $5) and ($6::timestamptz is null or sent_at >= $6)
  and ($7::timestamptz is null or sent_at < $7) and ($8::text is null or state = $8) and ($9::uuid is null or id < $9)
order by id desc
limit $10

-- Sets the seller's own claim terms for a marketplace and reason, in the place of those that it set before.
-- $1 marketplace, $2 reason, $3 days after which it is missing or null, $4 days in which to file or null, $5 version that the
-- client has read, or null
insert into robnu.seller_claim_terms as known (seller_id, marketplace_code, reason, missing_after_days, file_by_days)
select (select robnu.app_current_seller_id()), m.code, $2, $3, $4
from robnu.marketplaces m
where m.code = $1
  and ($5::integer is null or exists (select from robnu.seller_claim_terms t where t.marketplace_code = $1 and t.reason = $2))
on conflict (seller_id, marketplace_code, reason) do update
set missing_after_days = excluded.missing_after_days, file_by_days = excluded.file_by_days, updated_at = now()
where $5::integer is null or known.version = $5
returning id

-- The claim terms of every marketplace and reason as they count for the seller's next returns, and who set each.
select m.code as marketplace_code, r.reason,
  case when r.place = 1 then coalesce(own.missing_after_days, t.missing_after_days, robnu.default_missing_after_days()) end as missing_after_days,
  case when r.place > 1 then null when own.missing_after_days is not null then 'SELLER' when t.missing_after_days is not null then 'MARKETPLACE'
    else 'PLATFORM' end as missing_after_set_by,
  coalesce(own.file_by_days, t.file_by_days) as file_by_days,
  case when own.file_by_days is not null then 'SELLER' when t.file_by_days is not null then 'MARKETPLACE' else 'UNKNOWN' end as file_by_set_by,
  coalesce(own.version, 0) as version
from robnu.marketplaces m
cross join unnest(robnu.claim_reasons()) with ordinality as r (reason, place)
left join robnu.claim_terms t on t.marketplace_code = m.code and t.reason = r.reason
left join robnu.seller_claim_terms own on own.marketplace_code = m.code and own.reason = r.reason
order by m.code, r.place

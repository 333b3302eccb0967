-- The marketplace registry, with the support for each kind of run and the claim terms of each reason.
select m.code, m.display_name, m.status, coalesce(k.kinds, '{}') as kinds, coalesce(k.support, '{}') as support,
  coalesce(k.reasons, '{}') as reasons, c.claim_reasons, c.missing_after_days, c.missing_after_set_by, c.file_by_days, c.file_by_set_by
from robnu.marketplaces m
left join lateral (
  select array_agg(o.kind order by o.kind) as kinds, array_agg(o.support order by o.kind) as support,
    array_agg(o.reason order by o.kind) as reasons
  from robnu.marketplace_kinds o
  where o.marketplace_code = m.code
) k on true
cross join lateral (
  select array_agg(r.reason order by r.place) as claim_reasons,
    array_agg(case when r.place = 1 then coalesce(t.missing_after_days, robnu.default_missing_after_days()) end order by r.place) as missing_after_days,
    array_agg(case when r.place > 1 then null when t.missing_after_days is null then 'PLATFORM' else 'MARKETPLACE' end order by r.place)
      as missing_after_set_by,
    array_agg(t.file_by_days order by r.place) as file_by_days,
    array_agg(case when t.file_by_days is null then 'UNKNOWN' else 'MARKETPLACE' end order by r.place) as file_by_set_by
  from unnest(robnu.claim_reasons()) with ordinality as r (reason, place)
  left join robnu.claim_terms t on t.marketplace_code = m.code and t.reason = r.reason
) c
order by m.code

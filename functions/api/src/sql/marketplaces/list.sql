-- The marketplace registry, with the support for each kind of run.
select m.code, m.display_name, m.status, coalesce(k.kinds, '{}') as kinds, coalesce(k.support, '{}') as support,
  coalesce(k.reasons, '{}') as reasons
from robnu.marketplaces m
left join lateral (
  select array_agg(o.kind order by o.kind) as kinds, array_agg(o.support order by o.kind) as support,
    array_agg(o.reason order by o.kind) as reasons
  from robnu.marketplace_kinds o
  where o.marketplace_code = m.code
) k on true
order by m.code

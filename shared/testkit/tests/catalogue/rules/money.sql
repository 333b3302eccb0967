-- Money is numeric(14,4) with a currency, and a sum of money numeric(20,4), whatever its column is called, and never floating point. Minor units may stand beside it;
-- they are generated from it and never written.
select m.table_name || '.' || m.column_name || ' is ' || m.type || ', and money is ' || wanted.type
from money_columns m
cross join lateral (
  select case when (m.table_name, m.column_name) in (select table_name, column_name from sum_columns) then 'numeric(20,4)' else 'numeric(14,4)' end as type
) wanted
where m.type <> wanted.type
union all
select c.table_name || '.' || c.column_name || ' counts minor units and is not made of an amount: bigint, generated, stored'
from columns c where c.column_name ~ '_minor$' and (c.type <> 'bigint' or c.generated <> 's')
union all
-- The row states the currency, or its parent row does.
select distinct m.table_name || ' holds money, and no currency stands in the row or in its parent''s'
from money_columns m
where not exists (
  select from columns c
  where c.column_name = 'currency' and c.type = 'text'
    and (c.relation = m.relation or c.relation in (
      select f.confrelid from pg_constraint f where f.conrelid = m.relation and f.contype = 'f')))

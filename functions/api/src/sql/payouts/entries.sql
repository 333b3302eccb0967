-- The entries of one payout with their lines, in the order in which they came.
-- Looks at 2,000 rows at most; also returns the last of these, with ends_scan, whether it matches or not.
-- $1 payout, $2 where to continue, $3 how many; $4 type of a line or null, $5 marketplace's order or null, $6 only those that are not the
-- sum of their lines, or null
select e.id, e.account_id, e.currency, e.marketplace_type, e.external_order_id, e.external_item_id, e.sku, e.quantity, e.posted_at,
  e.expected_at, e.stated_amount, e.amount, e.difference, e.place, e.other::text as other, e.notes, e.matches, e.ends_scan,
  (select o.id from robnu.orders o where o.account_id = e.account_id and o.external_order_id = e.external_order_id) as order_id,
  (select coalesce(jsonb_agg(jsonb_build_object('line_type', l.line_type, 'marketplace_type', l.marketplace_type, 'amount', l.amount::text)
      order by l.number), '[]')::text
    from robnu.payout_lines l where l.entry_id = e.id) as lines
from (
  select e.*, row_number() over (order by e.id) = 2000 as ends_scan,
    case when $4::text is null then true
      -- One look for each entry; exists would read all lines of the seller at once.
      else (select true from robnu.payout_lines l where l.entry_id = e.id and l.line_type = $4 limit 1) is not null end
    and case when $5::text is null then true else e.external_order_id = $5 end
    and case when $6::boolean is null then true else e.is_unbalanced = $6 end as matches
  from (
    select * from robnu.payout_entries e
    where e.payout_id = $1 and e.id > $2
    order by e.id
    limit 2000
  ) e
) e
where e.matches or e.ends_scan
order by e.id
limit $3

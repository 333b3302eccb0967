-- Announced imports for which neither a notice came nor the scheduling sweep began a run in time, oldest first. Those of accounts that
-- take no files now, or are held, rest. $1 marketplace, $2 seller, $3 account; null: all. $4 how many, $5 seconds since the announcement
select 'IMPORT_NOT_TAKEN' as what, a.marketplace_code as marketplace, i.seller_id, i.account_id, i.id, 'FILE_IMPORT' as kind,
  uuid_extract_timestamp(i.id) as since, 'not_begun' as why, 1::bigint as count
from robnu.imports i
join robnu.marketplace_accounts a on a.seller_id = i.seller_id and a.id = i.account_id and a.status in ('ACTIVE', 'NEEDS_RECONNECT')
join robnu.sellers s on s.seller_id = i.seller_id and s.suspended_at is null
where i.run_id is null and i.id < (select uuidv7(make_interval(secs => - $5::double precision)))
  and not robnu.is_held(a.held_at, a.marketplace_code)
  and ($1::text is null or a.marketplace_code = $1) and ($2::uuid is null or i.seller_id = $2) and ($3::uuid is null or i.account_id = $3)
order by i.id
limit $4

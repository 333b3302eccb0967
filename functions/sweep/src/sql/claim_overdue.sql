-- Makes a pending claim for each of the seller's returns that is still overdue, and marks the return. A return that is
-- locked at this moment, by a scan or a claim, is left to the next sweep. A return that has a claim keeps it and stays as it
-- is.
-- $1 returns
with due as (
  select id, currency
  from robnu.returns
  where id = any ($1) and internal_status = 'EXPECTED' and status <> 'CANCELLED' and received_at is null and pending_at < now()
    and coalesce(file_by >= now(), true)
  order by id
  for no key update skip locked
), claimed as (
  insert into robnu.claims (seller_id, return_id, status, reason, currency)
  select (select robnu.app_current_seller_id()), id, 'PENDING', 'NOT_RECEIVED', coalesce(currency, 'INR') from due
  on conflict (seller_id, return_id) do nothing
  returning return_id
)
update robnu.returns
set internal_status = 'CLAIM_PENDING', updated_at = now()
where id in (select return_id from claimed)
returning id

-- Receives the one return that a scanned code matches and that is not cancelled; a return that was received before is noted
-- as scanned again, or gets another condition. A code that nothing is known of waits for its return.
-- $1 code, $2 return or null, to choose between several; $3 condition, $4 why and $5 how many articles, or null
with meant as (
  select r.id
  from robnu.returns_by_code($1) as found (id) join robnu.returns r on r.id = found.id
  where r.status <> 'CANCELLED' and ($2::uuid is null or r.id = $2)
), chosen as (
  select id from meant where (select count(*) from meant) = 1
), received as (
  -- Reads the row again once it is locked, whoever changed it before.
  update robnu.returns r
  set received_at = coalesce(r.received_at, now()),
    condition = case when $3::text is null then r.condition else $3 end,
    condition_reason = case when $3 is null then r.condition_reason else $4 end,
    condition_quantity = case when $3 is null then r.condition_quantity else $5::integer end,
    updated_at = case when r.received_at is null or $3 is not null then now() else r.updated_at end
  from chosen
  where r.id = chosen.id and r.status <> 'CANCELLED'
  returning r.id, old.received_at is null as first_scan,
    row(old.condition, old.condition_reason, old.condition_quantity)
      is distinct from row(new.condition, new.condition_reason, new.condition_quantity) as restated
), again as (
  insert into robnu.return_events (seller_id, return_id)
  select (select robnu.app_current_seller_id()), id from received where not first_scan and not restated
), waiting as (
  insert into robnu.unmatched_scans as s (seller_id, code, condition, condition_reason, condition_quantity)
  select (select robnu.app_current_seller_id()), $1, $3, $4, $5
  where $2 is null and not exists (select from robnu.returns_by_code($1))
  on conflict (seller_id, code) do update
  set condition = case when $3 is null then s.condition else $3 end,
    condition_reason = case when $3 is null then s.condition_reason else $4 end,
    condition_quantity = case when $3 is null then s.condition_quantity else $5 end
  returning s.id
)
-- An earlier scan of the code waits no longer once a return was chosen for it.
select id, first_scan, restated, false as waits, array(select robnu.discard_scan(null, $1)) as discarded from received
union all
select id, true, false, true, null from waiting

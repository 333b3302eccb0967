-- Receives the one return that a scanned code matches and that is not cancelled; a return that was received before is noted
-- as scanned again.
-- $1 code, $2 return or null, to choose between several
with meant as (
  select r.id
  from robnu.returns_by_code($1) as found (id) join robnu.returns r on r.id = found.id
  where r.status <> 'CANCELLED' and ($2::uuid is null or r.id = $2)
), chosen as (
  select id from meant where (select count(*) from meant) = 1
), received as (
  -- Reads the row again once it is locked, whoever changed it before.
  update robnu.returns r
  set received_at = coalesce(r.received_at, now()), updated_at = case when r.received_at is null then now() else r.updated_at end
  from chosen
  where r.id = chosen.id and r.status <> 'CANCELLED'
  returning r.id, old.received_at is null as first_scan
), again as (
  insert into robnu.return_events (seller_id, return_id)
  select (select robnu.app_current_seller_id()), id from received where not first_scan
)
select id, first_scan from received

-- Lets an account have the other kind of lane, unless it is to have it already or this is a dry run, and records who did it. Returns the
-- account, which kind it was to have before, its lane and how many live runs go through that; no row when there is no such account.
-- $1 account, $2 kind, $3 operator, $4 reason, $5 dry run, $6 the kinds of runs that go through lanes
with before as (
  select seller_id, id, marketplace_code, lane_kind, lane_state from robnu.marketplace_accounts where id = $1
), changed as (
  update robnu.marketplace_accounts a set lane_kind = $2, lane_kind_since = now()
  from before b
  where a.seller_id = b.seller_id and a.id = b.id and a.lane_kind <> $2 and not $5::boolean
  returning a.seller_id, a.id, a.marketplace_code
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code, seller_id, account_id, lane_kind)
  select 'MOVE', $3, $4, marketplace_code, seller_id, id, $2 from changed
)
select b.seller_id, b.lane_kind, b.lane_state,
  (select count(*) from robnu.sync_runs r
    where r.seller_id = b.seller_id and r.account_id = b.id and r.kind = any ($6) and r.state in ('QUEUED', 'RUNNING', 'WAITING')) as live_runs
from before b

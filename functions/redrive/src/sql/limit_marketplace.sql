-- Changes how many runs of a marketplace may be under way at once, unless it is so already or this is a dry run, and records who did it.
-- Returns the number before and how many are under way now. $1 marketplace, $2 the new number, $3 operator, $4 reason, $5 dry run
with before as (
  select code, runs_at_once, runs_at_once - robnu.room_of(code) as under_way from robnu.marketplaces where code = $1
), changed as (
  update robnu.marketplaces set runs_at_once = $2 where code = $1 and runs_at_once <> $2 and not $5::boolean returning code
), noted as (
  insert into robnu.hold_actions (action, operator, reason, marketplace_code, runs_at_once) select 'LIMIT', $3, $4, code, $2 from changed
)
select runs_at_once, under_way from before

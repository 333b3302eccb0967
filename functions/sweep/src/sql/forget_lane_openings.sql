-- Deletes openings of lanes that no longer count. $1 rows at most
select robnu.forget('lane_openings', $1) as forgotten

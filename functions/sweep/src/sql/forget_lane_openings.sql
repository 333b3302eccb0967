-- Deletes openings of lanes that count no more. $1 rows at most
select robnu.forget('lane_openings', $1) as forgotten

-- Every function pins its search path, with temporary objects last. The exception is a standard SQL body, whose names were resolved
-- when it was made. A function that runs with the owner's rights always pins it, and is on the list.
select f.name || ' does not pin its search path with pg_temp last'
from functions f
where not (f.resolved and not f.definer) and not coalesce(
  'search_path=pg_catalog, pg_temp' = any (f.settings) or 'search_path=robnu, pg_temp' = any (f.settings), false)
union all
select f.name || ' runs with its owner''s rights and is not on the reviewed list'
from functions f
where f.definer and f.name not in (select name from definer_functions)
union all
select f.name || ' is outside the schema robnu' from functions f where f.schema <> 'robnu'

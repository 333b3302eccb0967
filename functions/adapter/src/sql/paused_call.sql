-- How many seconds the marketplace has still to be left alone with an operation that has no known rate. $1 account, $2 operation
select extract(epoch from full_at - now())::double precision as wait_seconds
from robnu.call_buckets
where account_id = $1 and operation = $2 and full_at > now()

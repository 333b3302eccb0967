-- The seller's exports that the caller may see, newest first: before export $1, $2 of them. One export alone: variants.rs.
select e.id, e.list, e.filters::text as filters, e.state, e.requested_by, e.row_count, e.byte_count, e.error_code, e.queued_at,
  e.started_at, e.finished_at, robnu.export_until(e.list, e.queued_at, e.finished_at, e.expires_at, s.closes_at) as expires_at
from robnu.exports e
join robnu.sellers s on s.seller_id = e.seller_id
where e.id < $1
order by e.id desc
limit $2

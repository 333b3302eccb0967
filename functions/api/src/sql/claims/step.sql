-- Moves a claim to another status, if it still has the version; the table rejects steps that do not exist.
-- $1 claim, $2 status, $3 why or null, $4 marketplace's reference or null, $5 amount recovered or null, $6 version or null
update robnu.claims
set status = $2, status_reason = $3, marketplace_reference = coalesce($4, marketplace_reference),
  recovered_amount = coalesce($5, recovered_amount), updated_at = now()
where id = $1 and status <> $2 and ($6::integer is null or version = $6)
returning id

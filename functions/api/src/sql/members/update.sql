-- Changes the given fields, unless the member's version differs or the actor's role does not reach the member.
-- $1 member, $2 version or null, $3 whether a role is given, $4 role or null, $5 scan_returns or null
update robnu.members
set role = case when $3 then $4 else role end, scan_returns = coalesce($5, scan_returns), updated_at = now()
where id = $1 and ($2::integer is null or version = $2)
returning id

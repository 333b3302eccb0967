-- Raises an error for a caller who may not sign up a seller, and returns a row otherwise; does neither when the request was
-- done before.
-- $1 hash of the request's idempotency key, or null, $2 the person's email, $3 where the request comes from
select robnu.check_sign_up($2, $3)
where not exists (
  select from robnu.person_idempotency_keys where key_hash = $1 and created_at >= now() - interval '24 hours')

-- Keeps slices of the account from ending between the next two statements: what such a slice queues has either the old queue's address,
-- and is queued anew here, or none. $1 account
select pg_advisory_xact_lock(hashtextextended('turns of ' || $1::uuid, 0))

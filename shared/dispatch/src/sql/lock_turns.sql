-- Lets one function at a time decide whose turn it is among an account's runs, until the transaction ends. Without it a run could be kept
-- back by one that ends in the same moment, and nobody would publish it. $1 account
select pg_advisory_xact_lock(hashtextextended('turns of ' || $1::uuid, 0))

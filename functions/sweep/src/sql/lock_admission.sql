-- Lets one sweep after the other count and take runs, until the transaction ends: two at once would each fill the same room.
select pg_advisory_xact_lock(hashtextextended('admission', 0))

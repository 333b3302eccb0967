-- Marks records that were set aside, so that the account's live run reads them again. $1 account, $2 kind of run, $3 record,
-- or null for all
select robnu.retry_quarantined($1, $2, $3) as records

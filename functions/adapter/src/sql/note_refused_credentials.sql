-- Counts that a run's credentials were refused. $1 marketplace code, $2 digest of the user name or null, $3 account
select robnu.note_refused_credentials($1, $2, $3)

-- Deletes counts of sign-ups that no longer count. $1 rows at most
select robnu.forget('sign_up_counts', $1) as forgotten

-- Deletes counts of sign-ups that count no more. $1 rows at most
select robnu.forget('sign_up_counts', $1) as forgotten

-- Takes a seller's next step, or a part of it. $1 seller, $2 the last step that was done, $3 rows at most
select robnu.advance_closing($1, $2, $3) as step

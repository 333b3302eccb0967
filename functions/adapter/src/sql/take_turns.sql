-- Waits for other pages of the account that hold orders or returns. $1 account
select robnu.take_turns($1)

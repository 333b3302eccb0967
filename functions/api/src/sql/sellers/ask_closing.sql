-- Asks for the closing of the scope's seller: ASKED, ALREADY or OTHER_NAME. $1 the seller's name, to confirm; $2 reason or null;
-- $3 id of an export of everything that is to be made first, or null
select robnu.ask_closing($1, $2, $3) as outcome

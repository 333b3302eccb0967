-- Makes sellers due that the register names and the database does not know to be closed. $1 sellers
select robnu.close_again($1) as reopened

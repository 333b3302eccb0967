-- Notes that the messages of redriven dead letters were sent. $1 ids
update robnu.dead_letters set published_at = now() where id = any ($1) and state = 'REDRIVEN' and published_at is null

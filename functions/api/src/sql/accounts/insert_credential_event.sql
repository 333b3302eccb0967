-- Notes that credentials were given. $1 seller, $2 account
insert into robnu.credential_events (seller_id, account_id, event)
values ($1, $2, 'CONNECTED')

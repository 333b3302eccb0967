-- Records that the marketplace refused the credentials. $1 account
insert into robnu.credential_events (seller_id, account_id, event) values ((select robnu.app_current_seller_id()), $1, 'REFUSED')

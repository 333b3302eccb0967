-- The number of lanes that are polled: each costs money, used or not.
select count(*) as lanes from robnu.marketplace_accounts where lane_state = 'ACTIVE'

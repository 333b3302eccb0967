-- The number of lanes that are polled: each costs money, used or not. A shared lane is polled for all its accounts together.
select count(*) as lanes from robnu.marketplace_accounts where lane_state = 'ACTIVE' and not lane_shared

-- How many dead letters of each source are open.
select source, count(*) as letters from robnu.dead_letters where state = 'OPEN' group by source

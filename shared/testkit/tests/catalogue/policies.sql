-- Every policy except the two that a rule compares word for word.
select regexp_replace(format('%s | %s | %s | %s | %s | using %s | check %s', table_name, name,
    case when permissive then 'widens' else 'narrows' end,
    case command when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
    string_agg(role, ', ' order by role), coalesce("using", '-'), coalesce(with_check, '-')), '\s+', ' ', 'g') as line
from policies
where name not in ('tenant', 'owner')
group by table_name, name, permissive, command, "using", with_check
order by table_name, name, command

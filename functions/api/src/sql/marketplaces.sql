-- The marketplace registry.
select code, display_name, status
from robnu.marketplaces
order by code

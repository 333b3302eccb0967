-- The next sellers, and whether each is to be told of its usage. $1 the last seller looked at, $2 sellers at most
select seller_id, has_news from robnu.find_usage($1, $2)

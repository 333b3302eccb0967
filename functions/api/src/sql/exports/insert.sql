-- Asks for an export. $1 id, $2 list, $3 filters as JSON
insert into robnu.exports (seller_id, id, list, filters) values (robnu.app_current_seller_id(), $1, $2, $3::text::jsonb)

-- Keeps records that could not be mapped, encrypted. $1 account, $2 run; $3 … arrays: ids, marketplace ids, reasons, records
insert into robnu.quarantined_records (seller_id, id, account_id, run_id, external_id, reason, record_enc)
select (select robnu.app_current_seller_id()), p.id, $1, $2, p.external_id, p.reason, p.record_enc
from unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[]) as p (id, external_id, reason, record_enc)

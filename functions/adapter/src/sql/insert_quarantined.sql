-- Stores records that could not be mapped, encrypted. A record that is already stored is counted again.
-- $1 account, $2 run; $3 … arrays: ids, marketplace ids, reasons, records, digests (no digest twice)
insert into robnu.quarantined_records as q (seller_id, id, account_id, run_id, external_id, reason, record_enc, record_digest)
select (select robnu.app_current_seller_id()), p.id, $1, $2, p.external_id, p.reason, p.record_enc, p.record_digest
from unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bytea[]) as p (id, external_id, reason, record_enc, record_digest)
order by p.record_digest
on conflict (seller_id, account_id, record_digest) do update
set last_seen_at = now(), seen = q.seen + 1, run_id = excluded.run_id

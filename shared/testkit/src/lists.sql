-- Fills every list of the fixture's two sellers: :rows of everything for the seller :ours, and :others for the other.
set session_replication_role = replica;
set synchronous_commit = off;
create temp table big as 
  select seller_id, case seller_id when :ours then :rows else :others end as rows from robnu.sellers;
insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, dispatch_by, currency, fulfilled_by)
select a.seller_id, a.id, 'M' || lpad(n::text, 7, '0'), case when n % 10 = 0 then 'CONFIRMED' else 'DELIVERED' end, 'x',
  timestamptz '2026-01-01Z' + n * interval '20 second', case when n % 3 > 0 then timestamptz '2026-01-03Z' + n * interval '20 second' end, 'INR',
  case when n % 20 = 0 then 'MARKETPLACE' end
from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO', generate_series(1, big.rows) n;
insert into robnu.order_days select seller_id, (placed_at at time zone 'Asia/Kolkata')::date, account_id, count(*) from robnu.orders where external_order_id ~ '^M' group by 1,2,3 on conflict do nothing;
insert into robnu.order_items (seller_id, order_id, external_item_id, sku, quantity, line_amount, amount_basis)
select seller_id, id, '1', case when substr(external_order_id, 8) = '0' then 'COMMON' else 'S' || external_order_id end, 1, 10, 'CUSTOMER' from robnu.orders where external_order_id ~ '^M';
insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, tracking_number, carrier)
select seller_id, id, 'P' || external_order_id, 'x', case when substr(external_order_id, 8) = '0' then 'COMMON' else 'T' || external_order_id end, 'c' from robnu.orders where external_order_id ~ '^M';
insert into robnu.returns (seller_id, account_id, external_return_id, order_id, external_order_id, external_shipment_id, tracking_number,
  return_type, status, marketplace_status, initiated_at, delivered_at, missing_after_days, file_by_days, missing_at, file_by, pending_at)
select seller_id, account_id, 'R' || external_order_id, id, external_order_id, 'P' || external_order_id, 'B' || external_order_id,
  'RTO', 'DELIVERED', 'x', placed_at, placed_at, 60, array_fill(7, array[6]), placed_at + interval '60 days', now() + (placed_at - timestamptz '2026-01-01Z'),
  placed_at + interval '60 days' from robnu.orders where external_order_id ~ '^M';
insert into robnu.unmatched_scans (seller_id, code) select big.seller_id, 'W' || n from big, generate_series(1, least(big.rows, 2000)) n;
insert into robnu.claims (seller_id, return_id, account_id, reason, created_at)
select seller_id, id, account_id, 'DAMAGED', initiated_at from robnu.returns where external_return_id ~ '^RM';
insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, settled_at, currency, net_amount)
select seller_id, account_id, 'Y' || external_order_id, 'AJIO_PAYMENTS', 1, placed_at, 'INR', substr(external_order_id, 2)::int from robnu.orders where external_order_id ~ '^M';
-- Half of them paid, half announced.
insert into robnu.payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, currency, marketplace_type, external_order_id, amount, digest)
select p.seller_id, p.account_id, 'M' || n, 1, case when n % 2 = 0 then p.id end, 'AJIO_PAYMENTS', 'INR', 'x', 'M' || lpad(n::text, 7, '0'), 10, 'x' from big join robnu.payouts p on p.seller_id = big.seller_id and p.external_payout_id = 'PN1', generate_series(1, big.rows) n;
insert into robnu.payout_lines (seller_id, entry_id, number, line_type, marketplace_type, amount)
select seller_id, id, 1, 'SALE', 'x', 10 from robnu.payout_entries where external_part_id ~ '^M';
insert into robnu.payout_changes (seller_id, payout_id, run_id, external_part_id, number, change, after)
select p.seller_id, p.id, uuidv7(), 'M' || n, 1, 'ADDED', '{}' from big join robnu.payouts p on p.seller_id = big.seller_id and p.external_payout_id = 'PN1', generate_series(1, big.rows) n;
insert into robnu.listings (seller_id, account_id, external_listing_id, sku, status, marketplace_status, currency, updated_at)
select seller_id, account_id, 'L' || external_order_id, case when substr(external_order_id, 8) = '0' then 'COMMON' else 'S' || external_order_id end, 'ACTIVE', 'x', 'INR', placed_at from robnu.orders where external_order_id ~ '^M';
insert into robnu.inventory (seller_id, account_id, sku, location, available, reported_at)
select seller_id, account_id, case when substr(external_order_id, 8) = '0' then 'COMMON' else 'S' || external_order_id end, external_order_id, substr(external_order_id, 2)::int % 1000, placed_at from robnu.orders where external_order_id ~ '^M';
insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
select a.seller_id, a.id, 'AJIO', 'ORDERS', 'SCHEDULE', 'FAILED' from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO', generate_series(1, big.rows) n;
insert into robnu.quarantined_records (seller_id, account_id, run_id, external_id, reason, record_enc, record_digest)
select a.seller_id, a.id, r.id, 'Q' || lpad(n::text, 7, '0'), 'x', '\x00', sha256(n::text::bytea) from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO'
join lateral (select id from robnu.sync_runs s where s.seller_id = big.seller_id limit 1) r on true, generate_series(1, big.rows) n;
-- As many as are kept of an import.
insert into robnu.import_changes (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out)
select i.seller_id, i.id, n, 'ORDERS', 'M' || lpad(n::text, 7, '0'), 'CHANGED', '[{"field": "total_amount", "before": "10", "after": "20"}]', 0
from robnu.imports i, generate_series(2, 10000) n;
-- Without triggers, which would put each into the trail.
set session_replication_role = replica;
insert into robnu.storage_objects (seller_id, account_id, kind, document_type, order_id, bucket, content_type, size, checksum, kms_key, file_name)
select a.seller_id, a.id, 'DOCUMENT', 'PROOF_PHOTO', o.id, 'bucket', 'image/jpeg', 1, sha256('x'), 'key', 'x.jpg' from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO'
join lateral (select id from robnu.orders o where o.seller_id = big.seller_id limit 1) o on true, generate_series(1, big.rows) n;
set session_replication_role = origin;
insert into robnu.audit_events (seller_id, occurred_at, actor_kind, actor_id, action, object_id)
select a.seller_id, timestamptz '2026-01-01Z' + n * interval '20 second', 'JOB', a.id, 'credentials.opened', a.id from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO', generate_series(1, big.rows) n;
insert into robnu.credential_events (seller_id, account_id, event) select a.seller_id, a.id, 'VALIDATED' from big join robnu.marketplace_accounts a on a.seller_id = big.seller_id and a.marketplace_code = 'AJIO', generate_series(1, big.rows) n;
insert into robnu.return_events (seller_id, return_id) select r.seller_id, r.id from big join robnu.returns r on r.seller_id = big.seller_id and r.external_return_id = 'RN1', generate_series(1, big.rows) n;
insert into robnu.claim_events (seller_id, claim_id, to_status, actor_kind) select c.seller_id, c.id, 'FILED', 'MEMBER' from big join robnu.returns r on r.seller_id = big.seller_id and r.external_return_id = 'RN1' join robnu.claims c on c.seller_id = r.seller_id and c.return_id = r.id, generate_series(1, big.rows) n;
with people as (insert into robnu.people (subject, email) select 'P' || n, 'p' || n || '@example.invalid' from generate_series(1, :rows / 10) n returning id)
insert into robnu.members (seller_id, person_id, role) select :ours, id, 'VIEWER' from people;
insert into robnu.invitations (seller_id, email, role, token_hash, revoked_at) select big.seller_id, 'i' || n || '@example.invalid', 'VIEWER', sha256(n::text::bytea), now() from big, generate_series(1, big.rows) n;
insert into robnu.sellers (org_id, name) select o.id, 'x' || n from robnu.orgs o, generate_series(1, :rows / 10) n;
insert into robnu.impersonation_sessions (seller_id, id, staff_id, reason, role, started_at, expires_at)
select big.seller_id, uuidv7(interval '-2 days'), a.id, 'x', 'VIEWER', now() - interval '2 days', now() - interval '47 hours' from big, robnu.staff a, generate_series(1, big.rows/10) n;
analyze;

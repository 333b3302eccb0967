-- One seller of the fixture. Names that begin with a colon are replaced by ids.
set search_path = robnu;
insert into sellers (seller_id, org_id, name) select :seller, id, 'a seller' from orgs;
with person as (
  insert into people (subject, email)
  select role || '@' || :seller, role || '@example.invalid'
  from unnest(array['OWNER', 'ADMIN', 'OPERATOR', 'FINANCE', 'VIEWER', 'SCANNER']) as role
  returning id, subject
)
insert into members (seller_id, person_id, role, scan_returns)
select :seller, id, nullif(split_part(subject, '@', 1), 'SCANNER'), subject like 'SCANNER@%' from person;
insert into invitations (seller_id, email, role, token_hash, invited_by)
  select :seller, 'invited@example.invalid', 'VIEWER', sha256(convert_to('token of ' || :seller, 'utf8')), id
  from people where subject = 'OWNER@' || :seller;
with admin as (
  insert into staff (subject) values ('STAFF') on conflict (subject) do update set subject = excluded.subject returning id
)
insert into impersonation_sessions (seller_id, staff_id, reason, role, expires_at)
  select :seller, id, 'a call about orders', 'VIEWER', now() + interval '1 hour' from admin;
insert into request_counts (seller_id, person_id, window_start, requests)
  select :seller, id, '2026-01-01T00:00:00Z', 1 from people where subject = 'OWNER@' || :seller;
insert into idempotency_keys (seller_id, actor_id, key_hash, request_digest, status, body)
  select :seller, id, sha256('key'), sha256('request'), 201, '{}' from people where subject = 'OWNER@' || :seller;
insert into seller_claim_terms (seller_id, marketplace_code, reason, file_by_days) values (:seller, 'MEESHO', 'OTHER', 9);
insert into seller_keys (seller_id, wrapped_key, kms_key_id) values (:seller, '\x00', 'none');
insert into marketplace_accounts (seller_id, id, marketplace_code, external_account_id, display_name, verified_at, lane_state, lane_queue_url, lane_mapping_id) values
  (:seller, :ajio, 'AJIO', 'DV0001', 'AJIO', now(), 'ACTIVE', 'https://sqs.invalid/' || :ajio || '.fifo', 'mapping'),
  (:seller, :amazon, 'AMAZON_IN', 'A1SELLER', 'Amazon', now(), 'ACTIVE', 'https://sqs.invalid/' || :amazon || '.fifo', 'mapping'),
  (:seller, :flipkart, 'FLIPKART', 'F0001', 'Flipkart', now(), 'ACTIVE', 'https://sqs.invalid/' || :flipkart || '.fifo', 'mapping'),
  (:seller, :meesho, 'MEESHO', 'S0001', 'Meesho', now(), 'ACTIVE', 'https://sqs.invalid/' || :meesho || '.fifo', 'mapping');
insert into account_authorizations (seller_id, actor_id, state_hash, marketplace_code, external_account_id, account_id)
  select :seller, id, sha256(convert_to('state of ' || :seller, 'utf8')), 'AMAZON_IN', 'A1SELLER', :amazon from people where subject = 'OWNER@' || :seller;
insert into ajio_account_details (seller_id, account_id, username, password_enc) values (:seller, :ajio, 'DV0001', '\x00');
insert into amazon_account_details (seller_id, account_id, client_id, client_secret_enc, refresh_token_enc)
  values (:seller, :amazon, 'client', '\x00', '\x00');
insert into flipkart_account_details (seller_id, account_id, refresh_token_enc, location_id) values (:seller, :flipkart, '\x00', 'LOC1');
insert into meesho_account_details (seller_id, account_id, supplier_id, api_key_enc, api_secret_enc) values (:seller, :meesho, 'S0001', '\x00', '\x00');
insert into access_tokens (seller_id, account_id, credentials_generation, token_id, token_enc, issued_at, renew_at, expires_at)
  values (:seller, :ajio, 1, uuidv7(), '\x00', '2026-01-01T00:00:00Z', '2026-01-01T00:20:00Z', '2026-01-01T00:30:00Z');
insert into lane_openings (seller_id, account_id, is_repeated, opened_at) values (:seller, :ajio, false, '2026-01-01T00:00:00Z');
insert into credential_events (seller_id, account_id, event) values (:seller, :ajio, 'CONNECTED');
insert into schedules (seller_id, account_id, kind, every_minutes) values (:seller, :ajio, 'ORDERS', 60), (:seller, :amazon, 'ORDERS', 15);
insert into sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state, finished_at)
  values (:seller, :run, :ajio, 'AJIO', 'ORDERS', 'API', 'SUCCEEDED', now());
insert into sync_run_counts (seller_id, run_id, stream, added, changed, unchanged, removed)
  values (:seller, :run, 'ORDERS', 0, 0, 0, 0);
insert into watermarks (seller_id, account_id, kind, complete_until) values (:seller, :ajio, 'ORDERS', '2026-01-01T00:00:00Z');
insert into call_buckets (seller_id, account_id, operation, full_at) values (:seller, :ajio, 'anyCall', '2026-01-01T00:00:00Z');
insert into quarantined_records (seller_id, account_id, run_id, reason, record_enc, record_digest)
  values (:seller, :ajio, :run, 'no order id', '\x00', '\x00');
insert into raw_pages (seller_id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder, page_digest, page_enc)
  values (:seller, :ajio, 'AJIO', :run, 'ORDERS', 1, 1, '2026-01-01T00:00:00Z', '2026-01-01/00', sha256('page'), '\x00');
insert into orders (seller_id, id, account_id, external_order_id, status, marketplace_status, placed_at, currency, total_amount)
  values (:seller, :order, :ajio, 'FN1', 'PENDING', 'PENDENCY', '2026-01-01T00:00:00Z', 'INR', 20);
insert into usage_notices (seller_id, day, orders) values (:seller, '2026-01-01', 26);
insert into order_items (seller_id, order_id, external_item_id, quantity, line_amount, amount_basis)
  values (:seller, :order, 'FN1-1', 1, 10, 'CUSTOMER'), (:seller, :order, 'FN1-2', 1, 10, 'CUSTOMER');
insert into shipments (seller_id, order_id, external_shipment_id, status, tracking_number)
  values (:seller, :order, 'FN1', 'SHIPPED', 'AWB1');
insert into order_pii (seller_id, order_id, customer_name_enc, digest) values (:seller, :order, '\x00', sha256('customer'));
insert into returns (seller_id, id, account_id, external_return_id, order_id, external_order_id, return_type, status,
    marketplace_status, tracking_number, currency, initiated_at)
  values (:seller, :return, :ajio, 'RN1', :order, 'FN1', 'CUSTOMER', 'IN_TRANSIT', 'RETURN_CREATED', 'RAWB1', 'INR', '2026-01-05T00:00:00Z');
insert into return_items (seller_id, return_id, external_item_id, order_item_id, quantity, refund_amount)
  select :seller, :return, 'RN1-1', id, 1, 10 from order_items where seller_id = :seller and external_item_id = 'FN1-1';
insert into unmatched_scans (seller_id, code, condition) values (:seller, 'UNKNOWN1', 'BAD');
insert into claims (seller_id, id, return_id, account_id, reason, claimed_amount, filed_at)
  values (:seller, :claim, :return, :ajio, 'NOT_RECEIVED', 10, '2026-04-01T00:00:00Z');
insert into storage_objects (seller_id, account_id, kind, document_type, order_id, shipment_id, return_id, claim_id, bucket, content_type, size,
    checksum, kms_key, file_name)
  select :seller, :ajio, 'DOCUMENT', 'INVOICE', :order, id, :return, :claim, 'bucket', 'application/pdf', 3, sha256('pdf'), 'alias/key', 'invoice.pdf'
  from shipments where seller_id = :seller;
with files as (
  insert into storage_objects (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key, file_name, state)
  select :seller, file.id, :ajio, 'IMPORT', 'AJIO', 'bucket', 'text/csv', 3, sha256(file.content), 'alias/key', 'orders.csv', 'STORED'
  from (values (:import::uuid, 'csv'::bytea), (uuidv7(), 'earlier')) file (id, content)
  returning id
)
insert into imports (seller_id, id, account_id, run_id, corrects)
  select :seller, file.id, :ajio, run.id, (select earlier.id from files earlier where file.id = :import and earlier.id <> :import)
  from files file, (select id from sync_runs where seller_id = :seller order by id limit 1) run
  order by file.id <> :import;
insert into import_changes (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out)
  values (:seller, :import, 1, 'ORDERS', 'FN1', 'CHANGED', '[{"field": "total_amount", "before": "10", "after": "20"}]', 0);
insert into payouts (seller_id, id, account_id, external_payout_id, source, source_rank, status, marketplace_status, settled_at, currency)
  values (:seller, :payout, :ajio, 'PN1', 'AJIO_PAYMENTS', 1, 'PENDING', 'PAID', '2026-02-01T00:00:00Z', 'INR');
with entry as (
  insert into payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, currency, marketplace_type, external_order_id,
    stated_amount, amount, digest)
  values (:seller, :ajio, 'PN1-1', 1, :payout, 'AJIO_PAYMENTS', 'INR', 'Forward', 'FN1', 8.5, 8.5, 'x'),
    (:seller, :ajio, 'PN1-2', 1, null, 'AJIO_PAYMENTS', 'INR', 'Return', 'FN1', -10, -10, 'x')
  returning id, external_part_id
)
insert into payout_lines (seller_id, entry_id, number, line_type, marketplace_type, amount)
  select :seller, entry.id, line.number, line.line_type, 'Value', line.amount
  from entry join (values ('PN1-1', 1, 'SALE', 10), ('PN1-1', 2, 'COMMISSION', -1.5), ('PN1-2', 1, 'REFUND', -10))
    line (part, number, line_type, amount) on line.part = entry.external_part_id;
insert into payout_changes (seller_id, payout_id, run_id, external_part_id, number, change, after)
  select :seller, :payout, id, 'PN1-1', 1, 'ADDED', '{"amount": "8.5"}' from sync_runs where seller_id = :seller order by id limit 1;
insert into exports (seller_id, id, list, filters, requested_by, state, started_at, lease_expires_at)
  select :seller, :export, 'orders', '{}', id, 'RUNNING', now(), '2100-01-01T00:00:00Z' from people where subject = 'OWNER@' || :seller;
insert into listings (seller_id, id, account_id, external_listing_id, sku, status, marketplace_status, currency, selling_price)
  values (:seller, :listing, :ajio, 'LN1', 'SKU-1', 'ACTIVE', 'LIVE', 'INR', 10);
insert into inventory (seller_id, account_id, listing_id, sku, available) values (:seller, :ajio, :listing, 'SKU-1', 3);
with letter as (
  insert into dead_letters (queue, message_id, source, form, body, body_bytes, reason, sent_at, seller_id, state, closed_at, closed_by, close_reason)
  values ('robnu-test-ajio-dlq.fifo', :seller::text, 'AJIO', 'UNREADABLE', 'no job', 6, 'garbage', '2026-01-01T00:00:00Z', :seller, 'DISCARDED',
    now(), 'the fixture', 'nobody can read it')
)
insert into dead_letter_actions (id, action, operator, asked, letters) values (:seller, 'DISCARD', 'the fixture', '{}', 1);
insert into hold_actions (action, operator, reason, marketplace_code, seller_id, account_id)
  values ('HOLD', 'the fixture', 'a fault', 'AJIO', :seller, :ajio), ('RESUME', 'the fixture', 'mended', 'AJIO', :seller, :ajio);

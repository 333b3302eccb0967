-- Stores a page's returns and counts the new and the changed ones. Equal rows are not touched, and an older version never
-- replaces a newer one. A status that is not mapped is null: the return keeps its stored status.
-- $1 account; $2 … arrays, one element per return, ids unique within the page; notes with a line each; $19 whether they are from a file
with page as (
  select external_return_id, external_order_id, external_shipment_id, return_type, status, marketplace_status, reason, carrier, tracking_number,
    currency, document_kind, document_number, initiated_at, expected_at, delivered_at, marketplace_updated_at,
    coalesce(string_to_array(notes, E'\n'), '{}') as notes
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[])
    as p (external_return_id, external_order_id, external_shipment_id, return_type, status, marketplace_status, reason, carrier,
      tracking_number, currency, document_kind, document_number, initiated_at, expected_at, delivered_at, marketplace_updated_at, notes)
), merged as (
  -- Fields that the source leaves out stay as they are stored. A return that came back without a date did so when the marketplace changed
  -- the version that was first read as delivered, or else when that was read.
  select r.id as stored_id, p.external_return_id, coalesce(p.external_order_id, r.external_order_id) as external_order_id,
    coalesce(p.external_shipment_id, r.external_shipment_id) as external_shipment_id, p.return_type,
    coalesce(p.status, r.status, 'INITIATED') as status, p.marketplace_status, coalesce(p.reason, r.reason) as reason,
    coalesce(p.carrier, r.carrier) as carrier, coalesce(p.tracking_number, r.tracking_number) as tracking_number,
    coalesce(p.currency, r.currency) as currency, coalesce(p.document_kind, r.document_kind) as document_kind,
    coalesce(p.document_number, r.document_number) as document_number, p.initiated_at,
    coalesce(p.expected_at, r.expected_at) as expected_at,
    coalesce(p.delivered_at, r.delivered_at, case when coalesce(p.status, r.status) = 'DELIVERED' then coalesce(p.marketplace_updated_at, now()) end) as delivered_at,
    coalesce(p.marketplace_updated_at, r.marketplace_updated_at) as marketplace_updated_at,
    robnu.merge_notes(r.notes, p.notes, $19) as notes,
    (r.external_order_id, r.external_shipment_id, r.return_type, r.status, r.marketplace_status, r.reason, r.carrier, r.tracking_number,
      r.currency, r.document_kind, r.document_number, r.initiated_at, r.expected_at, r.delivered_at, r.marketplace_updated_at,
      r.notes) as stored
  from page p
  left join robnu.returns r on r.account_id = $1 and r.external_return_id = p.external_return_id
  where r.id is null
    or not robnu.is_older_return(p.status, p.marketplace_updated_at, r.status, r.marketplace_updated_at)
), written as (
  insert into robnu.returns as r (seller_id, account_id, external_return_id, external_order_id, external_shipment_id, return_type, status,
    marketplace_status, reason, carrier, tracking_number, currency, document_kind, document_number, initiated_at, expected_at, delivered_at,
    marketplace_updated_at, notes)
  select (select robnu.app_current_seller_id()), $1, m.external_return_id, m.external_order_id, m.external_shipment_id, m.return_type,
    m.status, m.marketplace_status, m.reason, m.carrier, m.tracking_number, m.currency, m.document_kind, m.document_number, m.initiated_at,
    m.expected_at, m.delivered_at, m.marketplace_updated_at, m.notes
  from merged m
  where m.stored_id is null
    or m.stored is distinct from (m.external_order_id, m.external_shipment_id, m.return_type, m.status, m.marketplace_status, m.reason,
      m.carrier, m.tracking_number, m.currency, m.document_kind, m.document_number, m.initiated_at, m.expected_at, m.delivered_at,
      m.marketplace_updated_at, m.notes)
  order by m.external_return_id
  on conflict (seller_id, account_id, external_return_id) do update
  set order_id = case when r.external_order_id = excluded.external_order_id then r.order_id end,
    external_order_id = excluded.external_order_id, external_shipment_id = excluded.external_shipment_id,
    return_type = excluded.return_type, status = excluded.status, marketplace_status = excluded.marketplace_status,
    reason = excluded.reason, carrier = excluded.carrier, tracking_number = excluded.tracking_number, currency = excluded.currency,
    document_kind = excluded.document_kind, document_number = excluded.document_number, initiated_at = excluded.initiated_at,
    expected_at = excluded.expected_at, delivered_at = excluded.delivered_at, marketplace_updated_at = excluded.marketplace_updated_at,
    notes = excluded.notes, updated_at = now()
  where not robnu.is_older_return(excluded.status, excluded.marketplace_updated_at, r.status, r.marketplace_updated_at)
  returning old.id is null as is_new
)
select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written

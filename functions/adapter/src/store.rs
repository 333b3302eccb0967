//! Stores a page: a fixed number of statements, in one flight, however many orders it holds.

mod columns;

use std::collections::HashSet;

use robnu_dispatch::{Counters, Job};
use robnu_marketplace::record::{OrderRecord, QuarantinedRecord};
use robnu_storage::{Place, SellerCipher};
use robnu_tenancy::{Params, Row, Session};
use uuid::Uuid;

use crate::error::JobError;
use crate::store::columns::{ItemColumns, OrderColumns, ShipmentColumns};

const UPSERT_ORDERS: &str = include_str!("sql/upsert_orders.sql");
const UPSERT_ITEMS: &str = include_str!("sql/upsert_items.sql");
const DELETE_VANISHED_ITEMS: &str = include_str!("sql/delete_vanished_items.sql");
const UPSERT_SHIPMENTS: &str = include_str!("sql/upsert_shipments.sql");
const INSERT_QUARANTINED: &str = include_str!("sql/insert_quarantined.sql");

/// Where quarantined records are kept, as far as their encryption is bound to it.
const QUARANTINE: &str = "quarantined_records";
const RECORD: &str = "record";

/// Writes a page's records into the session and counts what they did. Commits nothing.
pub async fn store_page(
    session: &mut Session,
    cipher: &SellerCipher,
    job: &Job,
    orders: &[OrderRecord],
    quarantined: &[QuarantinedRecord],
) -> Result<Counters, JobError> {
    let order = OrderColumns::new(orders);
    let item = ItemColumns::new(orders);
    let shipment = ShipmentColumns::new(orders);
    let sealed = Sealed::new(cipher, quarantined)?;
    let account = &job.account_id;

    let orders_params: Params<'_> = &[
        account,
        &order.external_order_id,
        &order.status,
        &order.marketplace_status,
        &order.placed_at,
        &order.marketplace_updated_at,
        &order.dispatch_by,
        &order.fulfilled_by,
        &order.payment_method,
        &order.currency,
        &order.total_amount,
        &order.ship_city,
        &order.ship_postal_code,
    ];
    let items_params: Params<'_> = &[
        account,
        &item.external_order_id,
        &item.order_status,
        &item.external_item_id,
        &item.sku,
        &item.title,
        &item.size,
        &item.quantity,
        &item.quantity_cancelled,
        &item.line_amount,
        &item.amount_basis,
        &item.tax_amount,
        &item.hsn,
    ];
    let vanished_params: Params<'_> =
        &[account, &order.external_order_id, &order.status, &item.external_order_id, &item.external_item_id];
    let shipments_params: Params<'_> = &[
        account,
        &shipment.external_order_id,
        &shipment.external_shipment_id,
        &shipment.status,
        &shipment.marketplace_status,
        &shipment.carrier,
        &shipment.tracking_number,
    ];
    let quarantined_params: Params<'_> = &[
        account,
        &job.run_id,
        &sealed.id,
        &sealed.external_id,
        &sealed.reason,
        &sealed.record,
        &sealed.digest,
    ];

    let mut requests = vec![
        (UPSERT_ORDERS, orders_params),
        (UPSERT_ITEMS, items_params),
        (DELETE_VANISHED_ITEMS, vanished_params),
        (UPSERT_SHIPMENTS, shipments_params),
    ];
    if !quarantined.is_empty() {
        requests.push((INSERT_QUARANTINED, quarantined_params));
    }
    let answers = session.flight(&requests).await?;
    let (orders_new, orders_changed) = (count(&answers[0], "new")?, count(&answers[0], "changed")?);
    let all = i32::try_from(order.external_order_id.len()).unwrap_or(i32::MAX);
    Ok(Counters {
        orders_new,
        orders_changed,
        orders_unchanged: all - orders_new - orders_changed,
        lines_new: count(&answers[1], "new")?,
        lines_changed: count(&answers[1], "changed")?,
        lines_removed: count(&answers[2], "removed")?,
        quarantined: i32::try_from(sealed.id.len()).unwrap_or(i32::MAX),
    })
}

fn count(rows: &[Row], column: &str) -> Result<i32, robnu_tenancy::Error> {
    let row = rows.first().ok_or(robnu_tenancy::Error::RowCount { found: 0 })?;
    Ok(row.try_get(column)?)
}

/// Quarantined records, encrypted, as columns. A record that occurs twice on the page is taken once, because a statement
/// cannot meet the same row twice.
struct Sealed<'a> {
    id: Vec<Uuid>,
    external_id: Vec<Option<&'a str>>,
    reason: Vec<&'a str>,
    record: Vec<Vec<u8>>,
    digest: Vec<Vec<u8>>,
}

impl<'a> Sealed<'a> {
    fn new(cipher: &SellerCipher, records: &'a [QuarantinedRecord]) -> Result<Self, JobError> {
        let mut sealed = Self {
            id: Vec::new(),
            external_id: Vec::new(),
            reason: Vec::new(),
            record: Vec::new(),
            digest: Vec::new(),
        };
        let mut taken = HashSet::new();
        for record in records {
            let digest = cipher.digest(QUARANTINE, RECORD, record.raw.as_bytes());
            if !taken.insert(digest) {
                continue;
            }
            let id = Uuid::now_v7();
            let place = Place { table: QUARANTINE, column: RECORD, row: id };
            sealed.id.push(id);
            sealed.external_id.push(record.external_id.as_deref());
            sealed.reason.push(record.reason.as_str());
            sealed.record.push(cipher.seal(place, record.raw.as_bytes())?);
            sealed.digest.push(digest.to_vec());
        }
        Ok(sealed)
    }
}

//! Meesho's files. That of orders is here: a sub-order (`324074730393034001_1`) is a line of the order before its underscore; payments and
//! returns name the sub-order, so it is the line's id.

mod charges;
mod payments;
mod returned;

use rust_decimal::Decimal;

use crate::decimal::check_amount;
use crate::files::{FileRecord, FileRow, Key, whole};
use crate::lenient::Notes;
use crate::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, ShipmentRecord, UNKNOWN_STATUS,
    UNKNOWN_STATUS_NOTE,
};
use crate::records::{RecordProblem, distinct, first_repeat};

pub use charges::{ADS_KEY, COMPENSATION_KEY, REFERRAL_KEY, ads, compensation, referral};
pub use payments::{PAYMENT_KEY, payment};
pub use returned::{RETURN_KEY, returned};

const SUB_ORDER: &str = "Sub Order No";
const STATUS: &str = "Reason for Credit Entry";
const PRICE: &str = "Supplier Discounted Price (Incl GST and Commission)";

/// Meesho sells in India only and names no currency.
const CURRENCY: &str = "INR";

/// Orders are known by the number before the sub-order's underscore.
pub const ORDER_KEY: Key = Key { column: SUB_ORDER, of: order_number, and: &[], named_by_all: false };

/// The order of a sub-order.
fn order_number(sub_order: &str) -> &str {
    sub_order.split_once('_').map_or(sub_order, |(order, _)| order)
}

/// Maps an order.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn order(record: &FileRecord) -> Result<OrderRecord, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let (mut items, mut statuses, mut shipments) = (Vec::new(), Vec::new(), Vec::new());
    for row in &record.rows {
        let (status, text) = status(row, &mut notes);
        items.push(item(row, status, &mut notes)?);
        add_shipment(&mut shipments, row, text.as_deref(), &mut notes);
        statuses.push((status, text));
    }
    if first_repeat(items.iter().map(|item: &OrderItemRecord| item.external_item_id.as_str())).is_some() {
        return Err(first.problem(Some(SUB_ORDER), "is there twice in the file"));
    }
    let status = whole(statuses.iter().map(|(status, _)| *status));
    Ok(OrderRecord {
        external_order_id: order_number(&first.required_id(SUB_ORDER)?).to_owned(),
        status,
        marketplace_status: distinct(statuses.iter().filter_map(|(_, text)| text.as_deref()))
            .unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        placed_at: first.required_date("Order Date")?,
        marketplace_updated_at: None,
        dispatch_by: None,
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: Some("SELLER".to_owned()), // the seller packs and hands over to Meesho's carriers
        payment_method: None,
        currency: Some(CURRENCY.to_owned()),
        total_amount: items.iter().map(|item| item.line_amount).sum(),
        ship_city: None,
        ship_state: record.common("Customer State", &mut notes), // the file has nothing else of the address
        ship_postal_prefix: None,
        customer: None,
        items,
        shipments,
        notes: notes.into_vec(),
    })
}

/// Reads a sub-order's status.
fn status(row: &FileRow, notes: &mut Notes) -> (OrderStatus, Option<String>) {
    let text = row.text(STATUS, notes);
    let ours = text.as_deref().and_then(parse_status).unwrap_or_else(|| {
        notes.push(row.problem(Some(STATUS), UNKNOWN_STATUS_NOTE));
        OrderStatus::Unknown
    });
    (ours, text)
}

/// What a customer exchanges or sends back was delivered before; the return is a record of its own. A lost parcel never reached
/// the customer, as one that goes back to its origin.
fn parse_status(text: &str) -> Option<OrderStatus> {
    Some(match text.to_ascii_uppercase().replace([' ', '-'], "_").as_str() {
        "PENDING" => OrderStatus::Pending,
        "READY_TO_SHIP" => OrderStatus::ReadyToDispatch,
        "SHIPPED" | "OUT_FOR_DELIVERY" => OrderStatus::Shipped,
        "DELIVERED" | "DOOR_STEP_EXCHANGED" | "RETURN" | "RETURNED" => OrderStatus::Delivered,
        "CANCELLED" => OrderStatus::Cancelled,
        "RTO_INITIATED"
        | "RTO_OFD"
        | "RTO_DELIVERY_FAILED"
        | "RTO_LOCKED"
        | "RTO_COMPLETE"
        | "LOST"
        | "SHIPMENT_LOST" => OrderStatus::Undelivered,
        _ => return None,
    })
}

fn item(row: &FileRow, status: OrderStatus, notes: &mut Notes) -> Result<OrderItemRecord, RecordProblem> {
    let quantity = row.required_units("Quantity")?;
    Ok(OrderItemRecord {
        external_item_id: row.required_id(SUB_ORDER)?,
        sku: row.optional_id("SKU", notes),
        title: row.text("Product Name", notes),
        size: row.text("Size", notes),
        quantity,
        quantity_cancelled: if status == OrderStatus::Cancelled { quantity } else { 0 },
        line_amount: line_amount(row, quantity)?,
        amount_basis: AmountBasis::Customer,
        tax_amount: None,
        hsn: None,
    })
}

/// The price is that of one unit: in a real file, a row of two units has the same price as the rows of one unit of the same
/// article. The discounted price counts, because it is what is charged; the listed one is what it was before.
fn line_amount(row: &FileRow, quantity: i32) -> Result<Option<Decimal>, RecordProblem> {
    let Some(price) = row.amount(PRICE)? else { return Ok(None) };
    let amount = price.checked_mul(Decimal::from(quantity)).and_then(|amount| check_amount(amount).ok());
    amount.map(Some).ok_or_else(|| row.problem(Some(PRICE), "makes too large an amount for the line"))
}

/// Sub-orders may share a packet. The file states no carrier and no air waybill; returns do.
fn add_shipment(shipments: &mut Vec<ShipmentRecord>, row: &FileRow, status: Option<&str>, notes: &mut Notes) {
    let Some(packet) = row.optional_id("Packet Id", notes) else { return };
    if shipments.iter().any(|known| known.external_shipment_id == packet) {
        return;
    }
    shipments.push(ShipmentRecord {
        external_shipment_id: packet,
        status: status.unwrap_or(UNKNOWN_STATUS).to_owned(),
        marketplace_status: None,
        carrier: None,
        tracking_number: None,
        shipment_type: None,
        dispatch_after: None,
        dispatch_by: None,
        on_hold: false,
        package_count: None,
    });
}

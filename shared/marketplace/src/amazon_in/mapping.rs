//! Maps Amazon's orders to ours.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{Id, Instant, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, ShipmentRecord, UNKNOWN_STATUS,
    UNKNOWN_STATUS_NOTE,
};
use crate::records::{RecordProblem, distinct, first_repeat, parse_record};

use super::customer::{Buyer, Delivery, Recipient, delivery};
use super::money::{ItemProceeds, Money, OneCurrency, OrderProceeds, fitting};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AmazonOrder {
    order_id: Id,
    created_time: Instant,
    #[serde(default)]
    last_updated_time: Lenient<Instant>,
    #[serde(default)]
    buyer: Lenient<Buyer>,
    #[serde(default)]
    recipient: Lenient<Recipient>,
    proceeds: Option<OrderProceeds>,
    #[serde(default)]
    payment: Lenient<Payment>,
    #[serde(default)]
    fulfillment: Lenient<Fulfillment>,
    order_items: Vec<Item>,
    #[serde(default)]
    packages: Lenient<Vec<Lenient<Package>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    #[serde(default)]
    payment_executions: Lenient<Vec<Lenient<PaymentExecution>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentExecution {
    #[serde(default)]
    payment_method: Lenient<Text>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fulfillment {
    #[serde(default, rename = "fulfillmentStatus")]
    status: Lenient<Text>,
    #[serde(default)]
    fulfilled_by: Lenient<Text>,
    #[serde(default)]
    ship_by_window: Lenient<Window>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    #[serde(default)]
    latest_date_time: Lenient<Instant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    order_item_id: Id,
    quantity_ordered: Quantity,
    #[serde(default)]
    product: Lenient<Product>,
    proceeds: Option<ItemProceeds>,
    #[serde(default)]
    cancellation: Lenient<Cancellation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    #[serde(default)]
    title: Lenient<Text>,
    #[serde(default)]
    seller_sku: Lenient<Text>,
    #[serde(default)]
    price: Lenient<Price>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    unit_price: Option<Money>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancellation {
    cancellation_execution: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "packageReferenceId")]
    reference: Id,
    #[serde(default, rename = "packageStatus")]
    state: Lenient<PackageState>,
    #[serde(default)]
    carrier: Lenient<Text>,
    #[serde(default)]
    tracking_number: Lenient<Text>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageState {
    #[serde(default)]
    status: Lenient<Text>,
    #[serde(default)]
    detailed_status: Lenient<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyId {
    order_id: Id,
}

/// Returns a record's order id, if at least that can be read.
pub fn order_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|record| record.order_id.0)
}

/// Maps an order.
///
/// # Errors
/// Names the field without which the order means nothing.
pub fn order(raw: &RawValue) -> Result<OrderRecord, RecordProblem> {
    let order: AmazonOrder = parse_record(raw)?;
    check_items(&order.order_items)?;
    let mut notes = Notes::default();
    let shipments = packages(order.packages, &mut notes);
    let Fulfilled { status, text, by, dispatch_by } = fulfilled(order.fulfillment, &shipments, &mut notes);
    let mut currency = OneCurrency::default();
    let total_amount = order
        .proceeds
        .and_then(|proceeds| proceeds.grand_total)
        .map(|total| currency.read(&total, "proceeds.grandTotal"))
        .transpose()?;
    let mut items = Vec::with_capacity(order.order_items.len());
    for (index, it) in order.order_items.into_iter().enumerate() {
        items.push(item(it, &format!("orderItems[{index}]"), status, &mut currency, &mut notes)?);
    }
    let Delivery { city, state, postal_prefix, customer } =
        delivery(order.buyer, order.recipient, &mut notes);
    Ok(OrderRecord {
        external_order_id: order.order_id.0,
        status,
        marketplace_status: detailed_status(&shipments).unwrap_or(text),
        placed_at: order.created_time.0,
        marketplace_updated_at: updated_at(order.last_updated_time, &mut notes),
        dispatch_by,
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: by,
        payment_method: payment_method(order.payment, &mut notes),
        currency: currency.into_code(),
        total_amount,
        ship_city: city,
        ship_state: state,
        ship_postal_prefix: postal_prefix,
        customer,
        items,
        shipments,
        notes: notes.into_vec(),
    })
}

fn check_items(items: &[Item]) -> Result<(), RecordProblem> {
    if items.is_empty() {
        return Err(RecordProblem::at("orderItems", "is empty"));
    }
    if first_repeat(items.iter().map(|item| item.order_item_id.0.as_str())).is_some() {
        return Err(RecordProblem::at("orderItems", "has two items with one orderItemId"));
    }
    Ok(())
}

fn updated_at(given: Lenient<Instant>, notes: &mut Notes) -> Option<DateTime<Utc>> {
    const PATH: &str = "lastUpdatedTime";
    match given.required_readable(PATH) {
        Ok(Some(at)) => return Some(at.0),
        Ok(None) => notes.add(PATH, "is missing"),
        Err(problem) => notes.push(problem),
    }
    None
}

/// What Amazon states about an order's fulfilment.
struct Fulfilled {
    status: OrderStatus,
    text: String,
    by: Option<String>,
    dispatch_by: Option<DateTime<Utc>>,
}

fn fulfilled(given: Lenient<Fulfillment>, shipments: &[ShipmentRecord], notes: &mut Notes) -> Fulfilled {
    const STATUS: &str = "fulfillment.fulfillmentStatus";
    let given = given.read("fulfillment", notes).unwrap_or_default();
    let text = given.status.text(STATUS, notes);
    let status = text.as_deref().and_then(|text| status(text, shipments)).unwrap_or_else(|| {
        notes.add(STATUS, UNKNOWN_STATUS_NOTE);
        OrderStatus::Unknown
    });
    let by = given.fulfilled_by.text("fulfillment.fulfilledBy", notes);
    let window = given.ship_by_window.read("fulfillment.shipByWindow", notes);
    let dispatch_by = window
        .and_then(|window| window.latest_date_time.read("fulfillment.shipByWindow.latestDateTime", notes));
    Fulfilled {
        status,
        text: text.unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        by: by.as_deref().and_then(fulfilled_by),
        dispatch_by: dispatch_by.map(|at| at.0),
    }
}

/// Reads an order's status. Amazon's orders end with `SHIPPED`; only their packages know whether they arrived.
fn status(fulfillment_status: &str, shipments: &[ShipmentRecord]) -> Option<OrderStatus> {
    Some(match fulfillment_status {
        "PENDING_AVAILABILITY" | "PENDING" => OrderStatus::Pending,
        "UNSHIPPED" => OrderStatus::Confirmed,
        "PARTIALLY_SHIPPED" => OrderStatus::PartiallyShipped,
        "SHIPPED" if all_sent_are("DELIVERED", shipments) => OrderStatus::Delivered,
        "SHIPPED" if all_sent_are("UNDELIVERABLE", shipments) => OrderStatus::Undelivered,
        "SHIPPED" => OrderStatus::Shipped,
        "CANCELLED" | "UNFULFILLABLE" => OrderStatus::Cancelled,
        _ => return None,
    })
}

/// Whether every package that was really sent (a cancelled label was not) has this status.
fn all_sent_are(status: &str, shipments: &[ShipmentRecord]) -> bool {
    let mut sent = shipments.iter().map(|it| it.status.as_str()).filter(|it| *it != "CANCELLED").peekable();
    sent.peek().is_some() && sent.all(|given| given == status)
}

/// Returns the packages' own status texts, each once, in package order.
fn detailed_status(shipments: &[ShipmentRecord]) -> Option<String> {
    distinct(shipments.iter().filter_map(|shipment| shipment.marketplace_status.as_deref()))
}

fn payment_method(payment: Lenient<Payment>, notes: &mut Notes) -> Option<String> {
    const PATH: &str = "payment.paymentExecutions";
    let executions = payment.read("payment", notes)?.payment_executions.read(PATH, notes)?;
    let mut methods = Vec::new();
    for (index, execution) in executions.into_iter().enumerate() {
        let path = format!("{PATH}[{index}]");
        let execution = execution.read(&path, notes);
        methods
            .extend(execution.and_then(|it| it.payment_method.text(&format!("{path}.paymentMethod"), notes)));
    }
    distinct(methods.iter().map(String::as_str))
}

fn fulfilled_by(text: &str) -> Option<String> {
    let ours = match text {
        "MERCHANT" => "SELLER",
        "AMAZON" => "MARKETPLACE",
        _ => return None,
    };
    Some(ours.to_owned())
}

fn item(
    item: Item,
    path: &str,
    status: OrderStatus,
    currency: &mut OneCurrency,
    notes: &mut Notes,
) -> Result<OrderItemRecord, RecordProblem> {
    let quantity = item.quantity_ordered.0;
    let product = item.product.read(&format!("{path}.product"), notes).unwrap_or_default();
    let proceeds = item.proceeds.unwrap_or_default();
    let proceeds_path = format!("{path}.proceeds");
    // A line of a cancelled order keeps its stored amounts.
    let nothing = (quantity == 0 && status != OrderStatus::Cancelled).then_some(Decimal::ZERO);
    let line_amount = match proceeds.amount(currency, &proceeds_path)? {
        Some(amount) => Some(amount),
        None => price(product.price, quantity, currency, path)?.or(nothing),
    };
    let cancellation = item.cancellation.read(&format!("{path}.cancellation"), notes);
    let executed = cancellation.is_some_and(|cancellation| cancellation.cancellation_execution.is_some());
    let cancelled = executed || status == OrderStatus::Cancelled;
    Ok(OrderItemRecord {
        external_item_id: item.order_item_id.0,
        sku: product.seller_sku.text(&format!("{path}.product.sellerSku"), notes),
        title: product.title.text(&format!("{path}.product.title"), notes),
        size: None,
        quantity,
        quantity_cancelled: if cancelled { quantity } else { 0 },
        line_amount,
        amount_basis: AmountBasis::Customer,
        tax_amount: proceeds.tax(currency, &proceeds_path)?.or(nothing),
        hsn: None,
    })
}

/// Returns price times quantity, or nothing when Amazon states no amount, as for pending and cancelled orders.
fn price(
    price: Lenient<Price>,
    quantity: i32,
    currency: &mut OneCurrency,
    path: &str,
) -> Result<Option<Decimal>, RecordProblem> {
    let price = price.required_readable(&format!("{path}.product.price"))?;
    let Some(unit_price) = price.and_then(|price| price.unit_price) else { return Ok(None) };
    let field = format!("{path}.product.price.unitPrice");
    let unit = currency.read(&unit_price, &field)?;
    fitting(unit.checked_mul(Decimal::from(quantity)), &field).map(Some)
}

/// Returns the packages that can be told apart. The order is stored without the others.
fn packages(given: Lenient<Vec<Lenient<Package>>>, notes: &mut Notes) -> Vec<ShipmentRecord> {
    let mut shipments: Vec<ShipmentRecord> = Vec::new();
    for (index, package) in given.read("packages", notes).unwrap_or_default().into_iter().enumerate() {
        let path = format!("packages[{index}]");
        let Some(package) = package.read(&path, notes) else { continue };
        let shipment = shipment(package, &path, notes);
        let same = |other: &ShipmentRecord| other.external_shipment_id == shipment.external_shipment_id;
        match shipments.iter().position(same) {
            Some(earlier) => {
                notes.add(
                    &format!("{path}.packageReferenceId"),
                    "is that of an earlier package, which it replaces",
                );
                shipments[earlier] = shipment;
            }
            None => shipments.push(shipment),
        }
    }
    shipments
}

fn shipment(package: Package, path: &str, notes: &mut Notes) -> ShipmentRecord {
    let status_path = format!("{path}.packageStatus");
    let state = package.state.read(&status_path, notes).unwrap_or_default();
    let status = state.status.text(&format!("{status_path}.status"), notes);
    ShipmentRecord {
        external_shipment_id: package.reference.0,
        // A package without a status has only been prepared.
        status: status.unwrap_or_else(|| "PENDING".to_owned()),
        marketplace_status: state.detailed_status.text(&format!("{status_path}.detailedStatus"), notes),
        carrier: package.carrier.text(&format!("{path}.carrier"), notes),
        tracking_number: package.tracking_number.text(&format!("{path}.trackingNumber"), notes),
        shipment_type: None,
        dispatch_after: None,
        dispatch_by: None,
        on_hold: false,
        package_count: None,
    }
}

//! From Amazon's orders to ours.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{Id, Instant, Quantity, Text};
use crate::record::{AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, ShipmentRecord};
use crate::records::{RecordProblem, first_repeat, parse_record};

use super::money::{ItemProceeds, Money, OneCurrency, OrderProceeds, fitting};

/// Amazon.in's currency, for orders that carry no amount yet (or no longer).
const CURRENCY: &str = "INR";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AmazonOrder {
    order_id: Id,
    created_time: Instant,
    last_updated_time: Instant,
    recipient: Option<Recipient>,
    proceeds: Option<OrderProceeds>,
    payment: Option<Payment>,
    fulfillment: Option<Fulfillment>,
    order_items: Vec<Item>,
    packages: Option<Vec<Package>>,
}

/// Names, street and phone are not even read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    delivery_address: Option<Address>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    #[serde(default)]
    city: Text,
    #[serde(default)]
    postal_code: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    payment_executions: Option<Vec<PaymentExecution>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentExecution {
    #[serde(default)]
    payment_method: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fulfillment {
    #[serde(rename = "fulfillmentStatus")]
    status: Text,
    #[serde(default)]
    fulfilled_by: Text,
    ship_by_window: Option<Window>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    latest_date_time: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    order_item_id: Id,
    quantity_ordered: Quantity,
    product: Option<Product>,
    proceeds: Option<ItemProceeds>,
    cancellation: Option<Cancellation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    #[serde(default)]
    title: Text,
    #[serde(default)]
    seller_sku: Text,
    price: Option<Price>,
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
    #[serde(rename = "packageStatus")]
    state: Option<PackageState>,
    #[serde(default)]
    carrier: Text,
    #[serde(default)]
    tracking_number: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageState {
    #[serde(default)]
    status: Text,
    #[serde(default)]
    detailed_status: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyId {
    order_id: Id,
}

/// A record's order id, when at least that can be read.
pub fn order_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|record| record.order_id.0)
}

/// Maps an order.
///
/// # Errors
/// The field that does not follow the contract.
pub fn order(raw: &RawValue) -> Result<OrderRecord, RecordProblem> {
    let order: AmazonOrder = parse_record(raw)?;
    let packages = order.packages.unwrap_or_default();
    check_ids(&order.order_items, &packages)?;
    let fulfillment = order.fulfillment.ok_or_else(|| RecordProblem::at("fulfillment", "is missing"))?;
    let fulfillment_status = fulfillment
        .status
        .0
        .ok_or_else(|| RecordProblem::at("fulfillment.fulfillmentStatus", "is missing"))?;
    let status = status(&fulfillment_status, &packages)?;
    let mut currency = OneCurrency::default();
    let total_amount = order
        .proceeds
        .and_then(|proceeds| proceeds.grand_total)
        .map(|total| currency.read(&total, "proceeds.grandTotal"))
        .transpose()?;
    let items = order
        .order_items
        .into_iter()
        .enumerate()
        .map(|(index, it)| item(it, index, status, &mut currency))
        .collect::<Result<_, _>>()?;
    let address = order.recipient.and_then(|recipient| recipient.delivery_address).unwrap_or_default();
    Ok(OrderRecord {
        external_order_id: order.order_id.0,
        status,
        marketplace_status: detailed_status(&packages).unwrap_or(fulfillment_status),
        placed_at: order.created_time.0,
        marketplace_updated_at: Some(order.last_updated_time.0),
        dispatch_by: fulfillment.ship_by_window.and_then(|window| window.latest_date_time).map(|at| at.0),
        fulfilled_by: fulfillment.fulfilled_by.0.as_deref().and_then(fulfilled_by),
        payment_method: order.payment.and_then(payment_method),
        currency: currency.into_code().unwrap_or_else(|| CURRENCY.to_owned()),
        total_amount,
        ship_city: address.city.0,
        ship_postal_code: address.postal_code.0,
        items,
        shipments: packages.into_iter().map(shipment).collect(),
        notes: Vec::new(),
    })
}

fn check_ids(items: &[Item], packages: &[Package]) -> Result<(), RecordProblem> {
    if items.is_empty() {
        return Err(RecordProblem::at("orderItems", "is empty"));
    }
    if first_repeat(items.iter().map(|item| item.order_item_id.0.as_str())).is_some() {
        return Err(RecordProblem::at("orderItems", "has two items with one orderItemId"));
    }
    if first_repeat(packages.iter().map(|package| package.reference.0.as_str())).is_some() {
        return Err(RecordProblem::at("packages", "has two packages with one packageReferenceId"));
    }
    Ok(())
}

/// Amazon's orders end with `SHIPPED`; only their packages know whether they arrived.
fn status(fulfillment_status: &str, packages: &[Package]) -> Result<OrderStatus, RecordProblem> {
    Ok(match fulfillment_status {
        "PENDING_AVAILABILITY" | "PENDING" => OrderStatus::Pending,
        "UNSHIPPED" => OrderStatus::Confirmed,
        "PARTIALLY_SHIPPED" => OrderStatus::PartiallyShipped,
        "SHIPPED" if all_sent_are("DELIVERED", packages) => OrderStatus::Delivered,
        "SHIPPED" if all_sent_are("UNDELIVERABLE", packages) => OrderStatus::Undelivered,
        "SHIPPED" => OrderStatus::Shipped,
        "CANCELLED" | "UNFULFILLABLE" => OrderStatus::Cancelled,
        _ => {
            let problem = "is none of the statuses that the contract lists";
            return Err(RecordProblem::at("fulfillment.fulfillmentStatus", problem));
        }
    })
}

/// Whether every package that was really sent (a cancelled label is none) has this status.
fn all_sent_are(status: &str, packages: &[Package]) -> bool {
    let mut sent =
        packages.iter().map(Package::status).filter(|given| *given != Some("CANCELLED")).peekable();
    sent.peek().is_some() && sent.all(|given| given == Some(status))
}

/// The packages' own texts, each once, in package order.
fn detailed_status(packages: &[Package]) -> Option<String> {
    distinct(packages.iter().filter_map(|package| package.state.as_ref()?.detailed_status.0.as_deref()))
}

fn payment_method(payment: Payment) -> Option<String> {
    let executions = payment.payment_executions.unwrap_or_default();
    distinct(executions.iter().filter_map(|execution| execution.payment_method.0.as_deref()))
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    (!seen.is_empty()).then(|| seen.join(" / "))
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
    index: usize,
    status: OrderStatus,
    currency: &mut OneCurrency,
) -> Result<OrderItemRecord, RecordProblem> {
    let path = format!("orderItems[{index}]");
    let quantity = item.quantity_ordered.0;
    let product = item.product.unwrap_or_default();
    let proceeds = item.proceeds.unwrap_or_default();
    let proceeds_path = format!("{path}.proceeds");
    let line_amount = match proceeds.amount(currency, &proceeds_path)? {
        Some(amount) => Some(amount),
        None => price(product.price, quantity, currency, &path)?,
    };
    let executed =
        item.cancellation.is_some_and(|cancellation| cancellation.cancellation_execution.is_some());
    let cancelled = executed || status == OrderStatus::Cancelled;
    Ok(OrderItemRecord {
        external_item_id: item.order_item_id.0,
        sku: product.seller_sku.0,
        title: product.title.0,
        size: None,
        quantity,
        quantity_cancelled: if cancelled { quantity } else { 0 },
        line_amount,
        amount_basis: AmountBasis::Customer,
        tax_amount: proceeds.tax(currency, &proceeds_path)?,
        hsn: None,
    })
}

/// Price times quantity; nothing where Amazon names no amount, as for pending and cancelled orders.
fn price(
    price: Option<Price>,
    quantity: i32,
    currency: &mut OneCurrency,
    path: &str,
) -> Result<Option<Decimal>, RecordProblem> {
    let Some(unit_price) = price.and_then(|price| price.unit_price) else { return Ok(None) };
    let field = format!("{path}.product.price.unitPrice");
    let unit = currency.read(&unit_price, &field)?;
    fitting(unit.checked_mul(Decimal::from(quantity)), &field).map(Some)
}

impl Package {
    fn status(&self) -> Option<&str> {
        self.state.as_ref()?.status.0.as_deref()
    }
}

fn shipment(package: Package) -> ShipmentRecord {
    let status = package.state.unwrap_or_default();
    ShipmentRecord {
        external_shipment_id: package.reference.0,
        // A package without a status has only been prepared.
        status: status.status.0.unwrap_or_else(|| "PENDING".to_owned()),
        marketplace_status: status.detailed_status.0,
        carrier: package.carrier.0,
        tracking_number: package.tracking_number.0,
    }
}

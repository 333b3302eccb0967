//! Renders an order of the book in the shapes of the orders API. Amounts are texts with the digits of the file.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::customer::{buyer, recipient};
use super::query::{Datasets, MARKETPLACE_ID, fulfilled_by};
use super::status::{LineState, by_status_text, fulfillment_status, line_state, package_status};
use crate::order_book::{Fulfilment, Line, Order};

/// One order with the requested data sets.
pub(super) fn order(order: &Order, datasets: &Datasets) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("orderId", json!(order.order_id));
    put("createdTime", instant(order.created_at));
    put("lastUpdatedTime", instant(order.updated_at));
    put("programs", if is_business(order) { json!(["AMAZON_BUSINESS"]) } else { json!([]) });
    put(
        "salesChannel",
        json!({ "channelName": "AMAZON", "marketplaceId": MARKETPLACE_ID, "marketplaceName": "Amazon.in" }),
    );
    put("orderItems", order.lines.iter().map(|line| item(line, datasets)).collect());
    if datasets.has("BUYER") {
        put("buyer", buyer(order, is_business(order)));
    }
    if datasets.has("RECIPIENT") {
        put("recipient", recipient(order, is_business(order)));
    }
    if datasets.has("PROCEEDS") {
        let total = money(order.total(), currency(order));
        put(
            "proceeds",
            json!({ "grandTotal": total.clone(), "breakdowns": [{ "type": "ITEM", "subtotal": total }] }),
        );
    }
    if datasets.has("PAYMENT") {
        put("payment", json!({ "paymentExecutions": payment_executions(order) }));
    }
    if datasets.has("FULFILLMENT") {
        put("fulfillment", fulfillment(order));
    }
    if datasets.has("PACKAGES") {
        put("packages", packages(order));
    }
    Value::Object(fields)
}

fn item(line: &Line, datasets: &Datasets) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("orderItemId", json!(line.order_item_id));
    put("quantityOrdered", json!(line.quantity));
    put("product", product(line));
    let state = line_state(&line.status);
    if datasets.has("PROCEEDS") {
        let amount = money(line.amount, &line.currency);
        put(
            "proceeds",
            json!({ "proceedsTotal": amount.clone(), "breakdowns": [{ "type": "ITEM", "subtotal": amount }] }),
        );
    }
    if datasets.has("CANCELLATION") && state == LineState::Cancelled {
        put("cancellation", json!({ "cancellationExecution": { "cancelReason": line.status } }));
    }
    if datasets.has("FULFILLMENT") {
        let fulfilled = if state == LineState::Shipped { line.quantity } else { 0 };
        let unfulfilled = if state == LineState::Cancelled { 0 } else { line.quantity - fulfilled };
        put("fulfillment", json!({ "quantityFulfilled": fulfilled, "quantityUnfulfilled": unfulfilled }));
    }
    Value::Object(fields)
}

fn product(line: &Line) -> Value {
    let mut product = json!({
        "asin": asin(line),
        "title": title(line),
        "sellerSku": seller_sku(line),
        "condition": { "conditionType": "NEW", "conditionSubtype": "NEW", "conditionNote": "" },
    });
    if let Some(unit_price) = unit_price(line) {
        product["price"] = json!({ "unitPrice": money(unit_price, &line.currency) });
    }
    product
}

/// The price of one unit, if the line's amount can be divided without a remainder.
fn unit_price(line: &Line) -> Option<Decimal> {
    if line.quantity == 1 {
        return Some(line.amount);
    }
    let quantity = Decimal::from(line.quantity);
    let price = line.amount.checked_div(quantity)?.normalize();
    (price.scale() <= 4 && price.checked_mul(quantity) == Some(line.amount)).then_some(price)
}

pub(super) fn title(line: &Line) -> String {
    format!("{}, size {}", line.category, line.size)
}

/// `T-SHIRT-3XL`: category and size, so that equal goods have equal codes.
pub(super) fn seller_sku(line: &Line) -> String {
    let text = format!("{}-{}", line.category, line.size).to_uppercase();
    text.chars().map(|sign| if sign.is_alphanumeric() || sign == '-' { sign } else { '-' }).collect()
}

/// Ten characters in the form of an ASIN. Equal goods always have the same one.
pub(super) fn asin(line: &Line) -> String {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    let hash = seller_sku(line).bytes().fold(2_166_136_261, step);
    format!("B0{hash:08X}")
}

/// One execution for each payment method, with the sum of its lines.
fn payment_executions(order: &Order) -> Vec<Value> {
    let mut sums: Vec<(&str, Decimal)> = Vec::new();
    for line in &order.lines {
        match sums.iter_mut().find(|(method, _)| *method == line.payment_method) {
            Some((_, sum)) => *sum += line.amount,
            None => sums.push((&line.payment_method, line.amount)),
        }
    }
    let execution = |(method, sum): (&str, Decimal)| {
        let name = if method == "Cash" { "CashOnDelivery".to_owned() } else { method.replace(' ', "") };
        json!({ "paymentMethod": name, "paymentAmount": money(sum, currency(order)) })
    };
    sums.into_iter().map(execution).collect()
}

fn fulfillment(order: &Order) -> Value {
    let level = order.lines.first().map_or("", |line| &line.ship_service_level);
    let mut fulfillment = json!({
        "fulfillmentStatus": fulfillment_status(order),
        "fulfilledBy": fulfilled_by(order),
    });
    if !level.is_empty() {
        fulfillment["fulfillmentServiceLevel"] = json!(level.to_uppercase().replace([' ', '-'], "_"));
    }
    fulfillment
}

/// One package for each status text of the order's lines, so that every text is served unchanged.
fn packages(order: &Order) -> Value {
    let package = |(ordinal, (text, lines)): (usize, (&str, Vec<&Line>))| {
        let items =
            lines.iter().map(|line| json!({ "orderItemId": line.order_item_id, "quantity": line.quantity }));
        let mut package = json!({
            "packageReferenceId": (ordinal + 1).to_string(),
            "createdTime": instant(order.created_at),
            "packageStatus": { "status": package_status(text), "detailedStatus": text },
            "packageItems": items.collect::<Vec<Value>>(),
        });
        if let Some(line) = lines.first().filter(|_| line_state(text) == LineState::Shipped) {
            package["carrier"] = json!(carrier(line));
            package["shippingService"] = json!(line.ship_service_level);
            package["shipTime"] = instant(order.created_at);
        }
        package
    };
    by_status_text(order).into_iter().enumerate().map(package).collect()
}

fn carrier(line: &Line) -> &'static str {
    match line.fulfilment {
        Fulfilment::Amazon => "ATS",
        Fulfilment::Merchant => "Merchant courier",
    }
}

fn is_business(order: &Order) -> bool {
    order.lines.iter().any(|line| line.b2b)
}

fn currency(order: &Order) -> &str {
    order.lines.first().map_or("INR", |line| &line.currency)
}

fn money(amount: Decimal, currency: &str) -> Value {
    json!({ "amount": amount.to_string(), "currencyCode": currency })
}

fn instant(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

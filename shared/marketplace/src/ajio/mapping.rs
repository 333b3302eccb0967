//! Maps AJIO's orders to ours.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decimal::{Amount, check_amount};
use crate::fields::{EpochSeconds, Id, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, ShipmentRecord, UNKNOWN_STATUS,
    UNKNOWN_STATUS_NOTE,
};
use crate::records::{RecordProblem, first_repeat, parse_record};

use super::phase::Phase;

/// Our word for the status of orders on pendency, for which AJIO sends none.
const PENDENCY: &str = "PENDENCY";

/// AJIO sells in India only and names no currency.
pub(super) const CURRENCY: &str = "INR";

#[derive(Deserialize)]
pub(super) struct AjioOrder {
    pub(super) order_id: Id,
    pub(super) order_date: EpochSeconds,
    #[serde(default)]
    pub(super) status: Lenient<Text>,
    #[serde(default)]
    pub(super) payment_method: Lenient<Text>,
    #[serde(default)]
    pub(super) carrier: Lenient<Text>,
    #[serde(default)]
    pub(super) tracking_number: Lenient<Text>,
    pub(super) total_amount: Option<Amount>,
    pub(super) order_lines: Vec<AjioLine>,
}

#[derive(Deserialize)]
pub(super) struct AjioLine {
    pub(super) order_item_id: Id,
    pub(super) ordered_quantity: Option<Quantity>,
    pub(super) quantity: Option<Quantity>,
    pub(super) customer_cancelled_qty: Option<Quantity>,
    pub(super) seller_cancelled_qty: Option<Quantity>,
    pub(super) seller_short_picked_qty: Option<Quantity>,
    pub(super) unit_price: Option<Amount>,
    pub(super) listing_price: Option<Amount>,
    /// AJIO's own responses carry this name with a blank at its end.
    #[serde(rename = "listing_price ")]
    pub(super) listing_price_blank: Option<Amount>,
    pub(super) item_base_price: Option<Amount>,
    pub(super) b2b_base_price: Option<Amount>,
    pub(super) b2b_tax: Option<Amount>,
    #[serde(default)]
    pub(super) hsn: Lenient<Text>,
    pub(super) tax_summary: Option<TaxSummary>,
    #[serde(default)]
    pub(super) item_details: Lenient<ItemDetails>,
}

#[derive(Deserialize)]
pub(super) struct TaxSummary {
    pub(super) cgst_percentage: Option<Amount>,
    pub(super) sgst_percentage: Option<Amount>,
    pub(super) igst_percentage: Option<Amount>,
    pub(super) cgst_amount: Option<Amount>,
    pub(super) sgst_amount: Option<Amount>,
    pub(super) igst_amount: Option<Amount>,
    pub(super) cess_amount: Option<Amount>,
}

/// An article, as orders and returns describe it.
#[derive(Default, Deserialize)]
pub(super) struct ItemDetails {
    #[serde(default)]
    pub(super) item_code: Lenient<Text>,
    #[serde(default)]
    pub(super) name: Lenient<Text>,
    #[serde(default)]
    pub(super) size: Lenient<Text>,
}

/// How a field of a line is named in problems and notes: by the line's index and the field.
pub(super) type Place<'a> = dyn Fn(usize, &str) -> String + 'a;

/// A line's money.
struct LineAmount {
    amount: Option<Decimal>,
    basis: AmountBasis,
    tax: Option<Decimal>,
}

#[derive(Deserialize)]
struct OnlyId {
    order_id: Id,
}

/// Returns a record's order id, if at least that can be read.
pub fn order_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|record| record.order_id.0)
}

/// From which list a record is: orders on pendency have no status yet.
pub fn phase_of(raw: &RawValue) -> Phase {
    #[derive(Deserialize)]
    struct OnlyStatus {
        status: Option<serde::de::IgnoredAny>,
    }
    match serde_json::from_str::<OnlyStatus>(raw.get()) {
        Ok(OnlyStatus { status: None }) => Phase::Pendency,
        _ => Phase::Orders,
    }
}

/// Maps an order from one of the two lists.
///
/// # Errors
/// Names the field that does not follow the contract.
pub fn order(phase: Phase, raw: &RawValue) -> Result<OrderRecord, RecordProblem> {
    let mut order: AjioOrder = parse_record(raw)?;
    let mut notes = Notes::default();
    let status = status(phase, std::mem::take(&mut order.status), &mut notes);
    if order.order_lines.is_empty() {
        return Err(RecordProblem::at("order_lines", "is empty"));
    }
    if first_repeat(order.order_lines.iter().map(|line| line.order_item_id.0.as_str())).is_some() {
        return Err(RecordProblem::at("order_lines", "has two lines with one order_item_id"));
    }
    assemble(order, status, &|index, field| format!("order_lines[{index}].{field}"), notes)
}

/// Maps an order whose status is read and whose lines are told apart, from whatever source.
///
/// # Errors
/// Names the field that does not follow the contract.
pub(super) fn assemble(
    order: AjioOrder,
    (status, marketplace_status): (OrderStatus, String),
    place: &Place<'_>,
    mut notes: Notes,
) -> Result<OrderRecord, RecordProblem> {
    let mut items = Vec::with_capacity(order.order_lines.len());
    for (index, it) in order.order_lines.into_iter().enumerate() {
        let item = line(it, &|field| place(index, field), status, &mut notes);
        items.push(item.map_err(|(field, problem)| RecordProblem::at(&place(index, field), &problem))?);
    }
    let carrier = order.carrier.text("carrier", &mut notes);
    let tracking_number = order.tracking_number.text("tracking_number", &mut notes);
    let shipments = tracking_number.map(|tracking_number| ShipmentRecord {
        external_shipment_id: order.order_id.0.clone(), // AJIO ships an order whole, under the order's id
        status: marketplace_status.clone(),
        marketplace_status: None,
        carrier,
        tracking_number: Some(tracking_number),
        shipment_type: None,
        dispatch_after: None,
        dispatch_by: None,
        on_hold: false,
        package_count: None,
    });
    Ok(OrderRecord {
        external_order_id: order.order_id.0,
        status,
        marketplace_status,
        placed_at: order.order_date.0,
        marketplace_updated_at: None,
        dispatch_by: None,
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: Some("SELLER".to_owned()), // dropship: the seller packs and hands over
        payment_method: order.payment_method.text("payment_method", &mut notes),
        currency: Some(CURRENCY.to_owned()),
        total_amount: order.total_amount.map(|amount| amount.0),
        ship_city: None,
        ship_state: None,
        ship_postal_prefix: None,
        customer: None,
        items,
        shipments: shipments.into_iter().collect(),
        notes: notes.into_vec(),
    })
}

/// Reads an order's status. An unknown status promises nothing: the order keeps the one that it had, or is pending, with the
/// marketplace's own text beside it.
fn status(phase: Phase, given: Lenient<Text>, notes: &mut Notes) -> (OrderStatus, String) {
    if phase == Phase::Pendency {
        return (OrderStatus::Pending, PENDENCY.to_owned());
    }
    let text = given.text("status", notes);
    let ours = text.as_deref().and_then(parse_status).unwrap_or_else(|| {
        notes.add("status", UNKNOWN_STATUS_NOTE);
        OrderStatus::Unknown
    });
    (ours, text.unwrap_or_else(|| UNKNOWN_STATUS.to_owned()))
}

pub(super) fn parse_status(text: &str) -> Option<OrderStatus> {
    Some(match text {
        "CONFIRMED" => OrderStatus::Confirmed,
        "PACKED" => OrderStatus::Packed,
        "READY_TO_DISPATCH" => OrderStatus::ReadyToDispatch,
        "DISPATCHED" => OrderStatus::Shipped,
        "DELIVERED" => OrderStatus::Delivered,
        "CANCELLED" => OrderStatus::Cancelled,
        _ => return None,
    })
}

/// AJIO's word for a status; `None` where its lists have none.
pub(super) fn word(status: OrderStatus) -> Option<&'static str> {
    Some(match status {
        OrderStatus::Pending => PENDENCY,
        OrderStatus::Confirmed => "CONFIRMED",
        OrderStatus::Packed => "PACKED",
        OrderStatus::ReadyToDispatch => "READY_TO_DISPATCH",
        OrderStatus::Shipped => "DISPATCHED",
        OrderStatus::Delivered => "DELIVERED",
        OrderStatus::Cancelled => "CANCELLED",
        OrderStatus::PartiallyShipped | OrderStatus::Undelivered | OrderStatus::Unknown => return None,
    })
}

/// The field at fault and what is wrong with it.
type LineProblem = (&'static str, String);

fn line(
    line: AjioLine,
    path: &dyn Fn(&str) -> String,
    status: OrderStatus,
    notes: &mut Notes,
) -> Result<OrderItemRecord, LineProblem> {
    let quantity = line
        .ordered_quantity
        .or(line.quantity)
        .ok_or_else(|| ("ordered_quantity", "is missing".to_owned()))?
        .0;
    let LineAmount { amount, basis, tax } = amount(&line, quantity, status)?;
    let quantity_cancelled = cancelled(&line, quantity, status);
    let details = line.item_details.read(&path("item_details"), notes).unwrap_or_default();
    Ok(OrderItemRecord {
        external_item_id: line.order_item_id.0,
        sku: details.item_code.text(&path("item_details.item_code"), notes),
        title: details.name.text(&path("item_details.name"), notes),
        size: details.size.text(&path("item_details.size"), notes),
        quantity,
        quantity_cancelled,
        line_amount: amount,
        amount_basis: basis,
        tax_amount: tax,
        hsn: line.hsn.text(&path("hsn"), notes),
    })
}

/// Returns the cancelled units. A cancelled order may come without quantities; then all of its units are cancelled.
fn cancelled(line: &AjioLine, quantity: i32, status: OrderStatus) -> i32 {
    let stated: i32 = [line.customer_cancelled_qty, line.seller_cancelled_qty, line.seller_short_picked_qty]
        .into_iter()
        .flatten()
        .map(|units| units.0)
        .sum();
    if stated == 0 && status == OrderStatus::Cancelled { quantity } else { stated.min(quantity) }
}

/// Returns what the customer pays if AJIO states it, and otherwise what AJIO pays the seller.
fn amount(line: &AjioLine, quantity: i32, status: OrderStatus) -> Result<LineAmount, LineProblem> {
    let customer_price = [
        ("unit_price", line.unit_price),
        ("listing_price", line.listing_price),
        ("listing_price", line.listing_price_blank),
    ];
    for (field, price) in customer_price {
        if let Some(price) = price {
            let amount = times(field, price.0, quantity)?;
            return Ok(LineAmount { amount: Some(amount), basis: AmountBasis::Customer, tax: None });
        }
    }
    purchase_amount(line, quantity, status)
}

/// Returns base price times quantity, plus tax.
fn purchase_amount(line: &AjioLine, quantity: i32, status: OrderStatus) -> Result<LineAmount, LineProblem> {
    if quantity == 0 && status != OrderStatus::Cancelled {
        // The basis is the customer's price, so that the amount replaces a stored one.
        let nothing = Some(Decimal::ZERO);
        return Ok(LineAmount { amount: nothing, basis: AmountBasis::Customer, tax: nothing });
    }
    let (field, price, units) = match (line.item_base_price, line.b2b_base_price) {
        (Some(price), _) => ("item_base_price", price.0, line.quantity.map_or(quantity, |units| units.0)),
        (None, Some(price)) => ("b2b_base_price", price.0, quantity),
        // A cancelled order is worth recording even when nothing was ever charged for it.
        (None, None) if status == OrderStatus::Cancelled => {
            return Ok(LineAmount { amount: None, basis: AmountBasis::Purchase, tax: None });
        }
        (None, None) => return Err(("item_base_price", "is missing, and so is unit_price".to_owned())),
    };
    let net = times(field, price, units)?;
    let tax = match (&line.tax_summary, line.b2b_tax) {
        (Some(summary), _) => Some(summary.of_line(price, units)?),
        (None, Some(tax)) => Some(times("b2b_tax", tax.0, units)?), // stands beside the price of one unit
        (None, None) => None,
    };
    let amount = checked(field, net.checked_add(tax.unwrap_or_default()))?;
    Ok(LineAmount { amount: Some(amount), basis: AmountBasis::Purchase, tax })
}

impl TaxSummary {
    /// Returns the tax of the whole line. Whether AJIO states tax per line or per unit is not public. We read it as the line's,
    /// unless the percentages show that only one unit's tax can be meant.
    fn of_line(&self, price: Decimal, units: i32) -> Result<Decimal, LineProblem> {
        let amounts = [self.cgst_amount, self.sgst_amount, self.igst_amount, self.cess_amount];
        let stated = sum(&amounts);
        let percentage = sum(&[self.cgst_percentage, self.sgst_percentage, self.igst_percentage]);
        let unit_tax = price.checked_mul(percentage).map(|tax| tax / Decimal::ONE_HUNDRED);
        let line_tax = unit_tax.and_then(|tax| tax.checked_mul(Decimal::from(units)));
        let is_per_unit = match (unit_tax, line_tax) {
            (Some(unit), Some(line)) => (stated - unit).abs() < (stated - line).abs(),
            _ => false,
        };
        if is_per_unit { times("tax_summary", stated, units) } else { checked("tax_summary", Some(stated)) }
    }
}

/// Adds amounts. A few amounts that each fit `numeric(14,4)` cannot overflow a decimal.
fn sum(amounts: &[Option<Amount>]) -> Decimal {
    amounts.iter().flatten().map(|amount| amount.0).sum()
}

fn times(field: &'static str, price: Decimal, quantity: i32) -> Result<Decimal, LineProblem> {
    checked(field, price.checked_mul(Decimal::from(quantity)))
}

fn checked(field: &'static str, amount: Option<Decimal>) -> Result<Decimal, LineProblem> {
    let too_large = || (field, "makes too large an amount for the line".to_owned());
    check_amount(amount.ok_or_else(too_large)?).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LISTED: [&str; 6] =
        ["CANCELLED", "CONFIRMED", "PACKED", "DISPATCHED", "DELIVERED", "READY_TO_DISPATCH"];

    proptest! {
        #[test]
        fn only_the_listed_statuses_are_known(text in "[A-Z_]{1,20}") {
            prop_assert_eq!(parse_status(&text).is_some(), LISTED.contains(&text.as_str()));
        }

        #[test]
        fn no_more_is_cancelled_than_was_ordered(
            ordered in 0..10_000_i32, customer in 0..10_000_i32, seller in 0..10_000_i32, is_cancelled: bool
        ) {
            let raw = RawValue::from_string(format!(
                r#"{{"order_id":"FN1","order_date":1763600400,"status":"{}","order_lines":[{{"order_item_id":"1",
                "ordered_quantity":{ordered},"customer_cancelled_qty":"{customer}","seller_cancelled_qty":{seller},
                "unit_price":1}}]}}"#,
                if is_cancelled { "CANCELLED" } else { "PACKED" }
            ))
            .unwrap();
            let item = order(Phase::Orders, &raw).unwrap().items.remove(0);
            let stated = customer + seller;
            let expected = if is_cancelled && stated == 0 { ordered } else { stated.min(ordered) };
            prop_assert_eq!(item.quantity_cancelled, expected);
        }
    }

    #[test]
    fn every_listed_status_is_known() {
        assert!(LISTED.iter().all(|text| parse_status(text).and_then(word) == Some(text)));
    }
}

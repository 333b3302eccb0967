//! AJIO's JSON. Amounts are raw number tokens, so that they never pass through a float.

use rust_decimal::Decimal;
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::book::{Item, Line, Order, Return, ReturnKind};
use super::status::{AjioReturnStatus, AjioStatus};

/// A JSON number with exactly the digits of a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount(pub(super) Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ItemDetails<'a> {
    item_code: &'a str,
    ean: &'a str,
    name: &'a str,
    brand_name: &'a str,
    color: &'a str,
    size: &'a str,
}

impl<'a> From<&'a Item> for ItemDetails<'a> {
    fn from(item: &'a Item) -> Self {
        let Item { item_code, ean, name, color, size } = item;
        Self { item_code, ean, name, brand_name: "DEMO", color, size }
    }
}

/// An order on pendency.
#[derive(Serialize)]
pub(super) struct PendingOrder<'a> {
    order_id: &'a str,
    order_date: i64,
    payment_method: &'a str,
    carrier: Option<&'a str>,
    tracking_number: Option<&'a str>,
    total_amount: Amount,
    order_lines: Vec<PendingLine<'a>>,
}

#[derive(Serialize)]
struct PendingLine<'a> {
    order_item_id: &'a str,
    ordered_quantity: u32,
    mrp: Amount,
    unit_price: Amount,
    #[serde(rename = "listing_price ", skip_serializing_if = "Option::is_none")]
    listing_price_with_blank: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listing_price: Option<Amount>,
    seller_discount: Amount,
    b2b_base_price: Amount,
    b2b_tax: Amount,
    item_details: ItemDetails<'a>,
}

impl<'a> From<&'a Order> for PendingOrder<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            order_id: &order.order_id,
            order_date: order.order_date,
            payment_method: order.payment_method,
            carrier: order.tracking().map(|(carrier, _)| carrier),
            tracking_number: order.tracking().map(|(_, number)| number),
            total_amount: Amount(order.total_amount()),
            order_lines: order.lines.iter().map(PendingLine::from).collect(),
        }
    }
}

impl<'a> From<&'a Line> for PendingLine<'a> {
    fn from(line: &'a Line) -> Self {
        let listing_price = Amount(line.unit_price);
        Self {
            order_item_id: &line.order_item_id,
            ordered_quantity: line.ordered,
            mrp: Amount(line.mrp),
            unit_price: Amount(line.unit_price),
            listing_price_with_blank: line.blank_in_key.then_some(listing_price),
            listing_price: (!line.blank_in_key).then_some(listing_price),
            seller_discount: Amount(line.seller_discount),
            b2b_base_price: Amount(line.b2b_base_price),
            b2b_tax: Amount(line.b2b_tax),
            item_details: ItemDetails::from(&line.item),
        }
    }
}

/// An order after pendency.
#[derive(Serialize)]
pub(super) struct PlacedOrder<'a> {
    order_id: &'a str,
    order_date: i64,
    status: AjioStatus,
    payment_method: &'a str,
    carrier: Option<&'a str>,
    tracking_number: Option<&'a str>,
    total_amount: Amount,
    total_tax: Amount,
    po_number: Option<&'a str>,
    po_date: Option<i64>,
    po_amount: Option<Amount>,
    po_pdf_url: Option<String>,
    order_lines: Vec<PlacedLine<'a>>,
}

#[derive(Serialize)]
struct PlacedLine<'a> {
    order_item_id: &'a str,
    quantity: u32,
    ordered_quantity: u32,
    customer_cancelled_qty: u32,
    seller_cancelled_qty: u32,
    seller_short_picked_qty: u32,
    item_base_price: Amount,
    hsn: &'a str,
    tax_summary: TaxSummary,
    item_details: ItemDetails<'a>,
}

#[derive(Serialize)]
struct TaxSummary {
    cgst_percentage: Amount,
    cgst_amount: Amount,
    sgst_percentage: Amount,
    sgst_amount: Amount,
    igst_percentage: Amount,
    igst_amount: Amount,
    cess_amount: Amount,
}

impl<'a> From<&'a Order> for PlacedOrder<'a> {
    fn from(order: &'a Order) -> Self {
        let sum = |amount: fn(&Line) -> Decimal| {
            order.lines.iter().map(|line| amount(line) * Decimal::from(line.ordered)).sum::<Decimal>()
        };
        let purchase_order = order.purchase_order.as_ref();
        Self {
            order_id: &order.order_id,
            order_date: order.order_date,
            status: order.status,
            payment_method: order.payment_method,
            carrier: order.tracking().map(|(carrier, _)| carrier),
            tracking_number: order.tracking().map(|(_, number)| number),
            total_amount: Amount(order.total_amount()),
            total_tax: Amount(sum(|line| line.b2b_tax)),
            po_number: purchase_order.map(|po| po.number.as_str()),
            po_date: purchase_order.map(|po| po.date),
            po_amount: purchase_order.map(|_| Amount(sum(|line| line.b2b_base_price + line.b2b_tax))),
            po_pdf_url: purchase_order.map(|po| format!("https://example.invalid/po/{}.pdf", po.number)),
            order_lines: order.lines.iter().map(PlacedLine::from).collect(),
        }
    }
}

impl<'a> From<&'a Line> for PlacedLine<'a> {
    fn from(line: &'a Line) -> Self {
        Self {
            order_item_id: &line.order_item_id,
            quantity: line.kept(),
            ordered_quantity: line.ordered,
            customer_cancelled_qty: line.customer_cancelled,
            seller_cancelled_qty: line.seller_cancelled,
            seller_short_picked_qty: 0,
            item_base_price: Amount(line.b2b_base_price),
            hsn: "62052000",
            tax_summary: TaxSummary::from(line),
            item_details: ItemDetails::from(&line.item),
        }
    }
}

impl From<&Line> for TaxSummary {
    fn from(line: &Line) -> Self {
        let half = Amount((line.b2b_tax / Decimal::TWO).normalize());
        let (zero, full) = (Amount(Decimal::ZERO), Amount(line.b2b_tax));
        let (half_rate, full_rate) = (Amount(Decimal::new(25, 1)), Amount(Decimal::new(5, 0)));
        let (central, across) = if line.within_state {
            ((half_rate, half), (zero, zero))
        } else {
            ((zero, zero), (full_rate, full))
        };
        Self {
            cgst_percentage: central.0,
            cgst_amount: central.1,
            sgst_percentage: central.0,
            sgst_amount: central.1,
            igst_percentage: across.0,
            igst_amount: across.1,
            cess_amount: zero,
        }
    }
}

/// A return with its lines. It contains everything of the order that was not cancelled.
#[derive(Serialize)]
pub(super) struct ReturnOrder<'a> {
    return_order_id: &'a str,
    return_date: i64,
    order_id: &'a str,
    return_status: AjioReturnStatus,
    return_type: &'static str,
    tracking_number: String,
    return_order_items: Vec<ReturnItem<'a>>,
}

#[derive(Serialize)]
struct ReturnItem<'a> {
    return_item_id: String,
    order_item_id: &'a str,
    return_quantity: u32,
    cancelled_return_quantity: u32,
    item_details: ItemDetails<'a>,
}

impl<'a> ReturnOrder<'a> {
    pub(super) fn new(returned: &'a Return, order: &'a Order) -> Self {
        let item = |(ordinal, line): (usize, &'a Line)| ReturnItem {
            return_item_id: format!("{}-{}", returned.return_order_id, ordinal + 1),
            order_item_id: &line.order_item_id,
            return_quantity: line.kept(),
            cancelled_return_quantity: if returned.status == AjioReturnStatus::Cancelled {
                line.kept()
            } else {
                0
            },
            item_details: ItemDetails::from(&line.item),
        };
        Self {
            return_order_id: &returned.return_order_id,
            return_date: returned.return_date,
            order_id: &order.order_id,
            return_status: returned.status,
            return_type: returned.kind.code(),
            tracking_number: format!("R{}", order.tracking_number),
            return_order_items: order.lines.iter().enumerate().map(item).collect(),
        }
    }
}

impl ReturnKind {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::ReturnToOrigin => "RTO",
            Self::Customer => "CR",
        }
    }
}

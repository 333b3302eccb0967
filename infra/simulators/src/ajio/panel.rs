//! AJIO's order report and RTV report, as its panel hands them out, from the same book that the API serves.
//!
//! The headers are those of real reports, without the columns that the book cannot fill. The status texts beyond the known ones
//! are our own choice, as is everything in the book.

use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;

use super::book::{Book, Line, Order, Return};
use super::status::{AjioReturnStatus, AjioStatus};

const ORDERS: [&str; 22] = [
    "Cust Order No",
    "Cust Order Date",
    "FWD PO NO",
    "Status",
    "JioCode",
    "HSN",
    "Seller SKU",
    "EAN",
    "Description",
    "Order Qty",
    "FWD Carrier",
    "FWD AWB",
    "Customer Cancelled QTY",
    "Seller Cancelled QTY",
    "Listing MRP",
    "Selling Price",
    "Base Price",
    "CGST_AMOUNT",
    "SGST_AMOUNT",
    "IGST_AMOUNT",
    "Fulfillment Type",
    "POB ID",
];

const RETURNS: [&str; 10] = [
    "Return Order Number",
    "JioCode",
    "Seller SKU",
    "EAN",
    "Return Status",
    "Return Created Date",
    "Return QTY",
    "Return AWB No",
    "Return Type",
    "Cust Order No",
];

impl Book {
    /// The order report.
    pub(super) fn order_report(&self, username: &str) -> String {
        let rows = self.orders.iter().flat_map(|order| order.lines.iter().map(move |line| (order, line)));
        table(&ORDERS, rows.map(|(order, line)| order_row(order, line, username)))
    }

    /// The RTV report.
    pub(super) fn rtv_report(&self) -> String {
        let lines = self.returns.iter().flat_map(|returned| {
            let order = &self.orders[returned.order];
            order.lines.iter().map(move |line| return_row(returned, order, line))
        });
        table(&RETURNS, lines)
    }
}

fn table<const COLUMNS: usize>(
    header: &[&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> String {
    let mut text = format!("\u{feff}{}\n", header.join(","));
    for row in rows {
        let cells = row.map(|cell| if cell.contains(',') { format!("\"{cell}\"") } else { cell });
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn order_row(order: &Order, line: &Line, username: &str) -> [String; 22] {
    let (carrier, tracking_number) = order.tracking().unwrap_or_default();
    let units = Decimal::from(line.kept());
    let tax = (line.b2b_tax * units).normalize();
    let (half, full) = if line.within_state {
        ((tax / Decimal::TWO).normalize(), Decimal::ZERO)
    } else {
        (Decimal::ZERO, tax)
    };
    [
        order.order_id.clone(),
        java_date(order.order_date),
        order.purchase_order.as_ref().map_or_else(String::new, |po| po.number.clone()),
        status(order.status).to_owned(),
        jio_code(line),
        "62052000".to_owned(),
        line.item.item_code.clone(),
        line.item.ean.clone(),
        line.item.name.to_owned(),
        line.ordered.to_string(),
        carrier.to_owned(),
        tracking_number.to_owned(),
        line.customer_cancelled.to_string(),
        line.seller_cancelled.to_string(),
        line.mrp.to_string(),
        line.unit_price.to_string(),
        line.b2b_base_price.to_string(),
        half.to_string(),
        half.to_string(),
        full.to_string(),
        "DropShip".to_owned(),
        username.to_owned(),
    ]
}

fn return_row(returned: &Return, order: &Order, line: &Line) -> [String; 10] {
    [
        returned.return_order_id.clone(),
        jio_code(line),
        line.item.item_code.clone(),
        line.item.ean.clone(),
        return_status(returned.status).to_owned(),
        java_date(returned.return_date),
        line.kept().to_string(),
        format!("R{}", order.tracking_number),
        returned.kind.code().to_owned(),
        order.order_id.clone(),
    ]
}

/// The article without colour and size.
fn jio_code(line: &Line) -> String {
    line.item.item_code.split('_').next().unwrap_or_default().to_owned()
}

fn status(status: AjioStatus) -> &'static str {
    match status {
        AjioStatus::Pendency => "New",
        AjioStatus::Cancelled => "Cancelled",
        AjioStatus::Confirmed => "PO created",
        AjioStatus::Packed => "Packed",
        AjioStatus::ReadyToDispatch => "Ready to Ship",
        AjioStatus::Dispatched => "Shipped",
        AjioStatus::Delivered => "Delivered",
    }
}

fn return_status(status: AjioReturnStatus) -> &'static str {
    match status {
        AjioReturnStatus::Initiated => "RETURN_INITIATED",
        AjioReturnStatus::Created => "RETURN_CREATED",
        AjioReturnStatus::Delivered => "RETURN_DELIVERED",
        AjioReturnStatus::Processed => "RETURN_PROCESSED",
        AjioReturnStatus::Cancelled => "RETURN_CANCELLED",
    }
}

/// `Fri Aug 14 16:43:42 IST 2026`.
fn java_date(seconds: i64) -> String {
    let india = FixedOffset::east_opt(5 * 3600 + 1800);
    let at = DateTime::from_timestamp(seconds, 0).zip(india).map(|(at, india)| at.with_timezone(&india));
    at.map_or_else(String::new, |at| at.format("%a %b %d %H:%M:%S IST %Y").to_string())
}

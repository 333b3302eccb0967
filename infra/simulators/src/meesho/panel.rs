//! Meesho's files of orders, in both generations of their columns, and of returns, from the order book that Amazon's simulator serves. The
//! headers are those of real files. A line of the book is a sub-order, and its price is that of one unit, as in Meesho's files.

use chrono::{FixedOffset, TimeDelta};
use rust_decimal::Decimal;

use crate::order_book::{Line, Order, OrderBook};

const CLASSIC: &str = "Reason for Credit Entry,Sub Order No,Order Date,Customer State,Product Name,SKU,Size,Quantity,\
                       Supplier Listed Price (Incl. GST + Commission),Supplier Discounted Price (Incl GST and Commision),Packet Id";
const NEWER: &str = "Reason for Credit Entry,Sub Order No,Catalog ID,Order Date,Order source,Customer State,Product Name,SKU,Size,Quantity,\
                     Supplier Listed Price (Incl. GST + Commission),Supplier Discounted Price (Incl GST and Commission),Packet Id";
const RETURNS: &str = "Suborder Number,Order Number,Product Name,SKU,Variation,Qty,Order Date,Return Created Date,Type of Return,Status,\
                       Courier Partner,AWB Number,Return Reason";

/// A generation of the columns of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeeshoColumns {
    /// Without catalogue and source.
    Classic,
    /// With them.
    Newer,
}

/// The file of orders.
#[must_use]
pub fn meesho_orders(book: &OrderBook, columns: MeeshoColumns) -> String {
    let header = if columns == MeeshoColumns::Newer { NEWER } else { CLASSIC };
    table(header, lines(book).map(|(order, line, at)| order_row(order, line, at, columns)))
}

/// The file of all returns: what the book says that came back or was rejected.
#[must_use]
pub fn meesho_returns(book: &OrderBook) -> String {
    let returned = lines(book).filter(|(_, line, _)| return_type(&line.status).is_some());
    table(RETURNS, returned.map(|(order, line, at)| return_row(order, line, at)))
}

fn lines(book: &OrderBook) -> impl Iterator<Item = (&Order, &Line, usize)> {
    let of = |order: &Order| order.lines.len();
    book.orders()
        .iter()
        .flat_map(move |order| (0..of(order)).map(move |at| (order, &order.lines[at], at + 1)))
}

fn table(header: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        let cells: Vec<String> =
            row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn order_row(order: &Order, line: &Line, at: usize, columns: MeeshoColumns) -> Vec<String> {
    let price = unit_price(line).to_string();
    let mut row = vec![status(&line.status).to_owned(), sub_order(order, at)];
    let is_newer = columns == MeeshoColumns::Newer;
    row.extend(is_newer.then(|| "270000001".to_owned()));
    row.push(day(order, 0));
    row.extend(is_newer.then(String::new));
    row.extend(["Karnataka".to_owned(), line.category.clone(), sku(line), line.size.clone()]);
    row.extend([line.quantity.to_string(), price.clone(), price, format!("TPX{}", digits(&order.order_id))]);
    row
}

fn return_row(order: &Order, line: &Line, at: usize) -> Vec<String> {
    let (kind, reason) = return_type(&line.status).unwrap_or_default();
    vec![
        sub_order(order, at),
        digits(&order.order_id),
        line.category.clone(),
        sku(line),
        line.size.clone(),
        line.quantity.to_string(),
        day(order, 0),
        day(order, 7),
        kind.to_owned(),
        "In Transit".to_owned(),
        "Invented Express".to_owned(),
        format!("RX{}", digits(&order.order_id)),
        reason.to_owned(),
    ]
}

fn sub_order(order: &Order, at: usize) -> String {
    format!("{}_{at}", digits(&order.order_id))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn sku(line: &Line) -> String {
    format!("{}-{}", line.category, line.size).to_uppercase().replace(' ', "-")
}

/// The price of one unit, which may lose a fraction of a paisa; a line without units keeps its amount.
fn unit_price(line: &Line) -> Decimal {
    let units = Decimal::from(line.quantity.max(1));
    line.amount.checked_div(units).unwrap_or_default().round_dp(4).normalize()
}

fn day(order: &Order, after: i64) -> String {
    let india = FixedOffset::east_opt(5 * 3600 + 1800);
    let at = order.created_at + TimeDelta::days(after);
    india.map_or_else(String::new, |india| at.with_timezone(&india).format("%Y-%m-%d").to_string())
}

fn status(text: &str) -> &'static str {
    match (text.to_ascii_lowercase(), return_type(text)) {
        (_, Some(("Courier Return (RTO)", _))) => "RTO_COMPLETE",
        (text, _) if text.starts_with("cancel") => "CANCELLED",
        (text, _) if text.contains("delivered") || text.contains("return") => "DELIVERED",
        (text, _) if text.starts_with("shipped") => "SHIPPED",
        (text, _) if text == "pending" => "PENDING",
        _ => "READY_TO_SHIP",
    }
}

/// The type and the reason of a return, if the line is on its way back.
fn return_type(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.to_ascii_lowercase();
    if text.contains("rejected") || text.contains("undeliver") {
        Some(("Courier Return (RTO)", "Not accepted"))
    } else if text.contains("return") {
        Some(("Customer Return", "Size does not fit"))
    } else {
        None
    }
}

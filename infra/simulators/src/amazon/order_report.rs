//! Amazon's flat file of all orders, from the same book that the API serves. It has the header of the real report.

use chrono::SecondsFormat;

use super::customer::state;
use super::query::fulfilled_by;
use super::render::{asin, seller_sku, title};
use super::status::{LineState, line_state};
use crate::order_book::{Line, Order, OrderBook};

const HEADER: &str = "amazon-order-id\tmerchant-order-id\tpurchase-date\tlast-updated-date\torder-status\tfulfillment-channel\tsales-channel\t\
                      order-channel\tship-service-level\tproduct-name\tsku\tasin\titem-status\tquantity\tcurrency\titem-price\titem-tax\t\
                      shipping-price\tshipping-tax\tgift-wrap-price\tgift-wrap-tax\titem-promotion-discount\tship-promotion-discount\t\
                      ship-city\tship-state\tship-postal-code\tship-country\tpromotion-ids";

/// The report.
pub(super) fn order_report(book: &OrderBook) -> String {
    let rows = book.orders().iter().flat_map(|order| order.lines.iter().map(move |line| row(order, line)));
    std::iter::once(HEADER.to_owned()).chain(rows).map(|row| row + "\r\n").collect()
}

fn row(order: &Order, line: &Line) -> String {
    let instant = |at: &chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, false);
    let channel = if fulfilled_by(order) == "MERCHANT" { "Merchant" } else { "Amazon" };
    let item_status = match line_state(&line.status) {
        LineState::Cancelled => "Cancelled",
        LineState::Shipped => "Shipped",
        LineState::Pending | LineState::Unshipped => "Unshipped",
    };
    let head = format!(
        "{}\t\t{}\t{}\t{}\t{channel}\tAmazon.in\t\t{}\t{}\t{}\t{}\t{item_status}\t{}\t{}\t{}",
        order.order_id,
        instant(&order.created_at),
        instant(&order.updated_at),
        line.status,
        line.ship_service_level,
        title(line),
        seller_sku(line),
        asin(line),
        line.quantity,
        line.currency,
        line.amount,
    );
    let state = state(&line.ship_postal_code).unwrap_or_default();
    format!("{head}\t\t\t\t\t\t\t\t{}\t{state}\t{}\tIN\t", line.ship_city, line.ship_postal_code)
}

//! The order books that the simulators serve. An account's name decides its whole book.

use anyhow::Context;
use simulators::OrderBook;

const STATUSES: [&str; 8] = [
    "Shipped",
    "Shipped - Delivered to Buyer",
    "Pending - Waiting for Pick Up",
    "Pending",
    "Shipped - Picked Up",
    "Cancelled",
    "Shipped - Returned to Seller",
    "Pending - Waiting for Pick Up",
];
const CATEGORIES: [&str; 3] = ["Kurta", "Shirt", "Saree"];
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                      line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// A book of `orders` orders, numbered from `first`. `series` keeps the order ids of books apart. Every third order has two equal lines.
pub fn order_book(series: usize, first: usize, orders: usize) -> anyhow::Result<OrderBook> {
    let rows = (first..first + orders).flat_map(|at| lines(series, at));
    let text: Vec<String> = std::iter::once(HEADER.to_owned()).chain(rows).collect();
    OrderBook::from_csv("chaos", &text.join("\n")).context("read an order book")
}

fn lines(series: usize, at: usize) -> Vec<String> {
    let status = STATUSES[at % STATUSES.len()];
    let category = CATEGORIES[at % CATEGORIES.len()];
    let (month, day) = (6 + at / 28 % 5, 1 + at % 28);
    let line = |paise: usize| {
        format!(
            "403-{series:07}-{at:07},2026-{month:02}-{day:02},{status},Merchant,Standard,{category},Cash,M,Shipped,{}.{:02},1,INR,\
             MUMBAI,400081,false",
            500 + at,
            paise % 100
        )
    };
    if at.is_multiple_of(3) { vec![line(at), line(at)] } else { vec![line(at)] }
}

//! What each account must hold in the end, according to the simulators.

use anyhow::Context;
use serde_json::Value;
use simulators::OrderBook;

use super::accounts::Account;
use crate::settings::Settings;

/// What an account must hold in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Orders.
    pub orders: i64,
    /// Lines, if the simulator says.
    pub order_lines: Option<i64>,
    /// Sum of all lines' amounts, if the simulator says.
    pub total_amount: Option<rust_decimal::Decimal>,
}

/// What the simulators serve each account; none for accounts of other servers.
pub async fn read(
    settings: &Settings,
    book: &OrderBook,
    accounts: &[Account],
) -> anyhow::Result<Vec<Option<Expected>>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut expected = Vec::new();
    for account in accounts {
        expected.push(match account.marketplace.as_str() {
            "AMAZON_IN" if settings.amazon_url.is_none() => Some(Expected {
                orders: count(book.orders().len()),
                order_lines: Some(count(book.line_count())),
                total_amount: Some(book.total()),
            }),
            "AJIO" if settings.ajio_url.is_none() => {
                let url = format!(
                    "{}/_control/ajio/orders?username={}",
                    settings.simulators_url(),
                    account.external_account_id
                );
                let orders: Value = http.get(url).send().await?.json().await?;
                let orders = orders.as_array().context("read the AJIO simulator's orders")?;
                let lines: i64 = orders.iter().filter_map(|order| order["lines"].as_i64()).sum();
                Some(Expected { orders: count(orders.len()), order_lines: Some(lines), total_amount: None })
            }
            _ => None,
        });
    }
    Ok(expected)
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

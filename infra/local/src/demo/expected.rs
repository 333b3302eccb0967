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
    /// Returns, if the simulator says.
    pub returns: Option<i64>,
    /// Sum of all lines' amounts, if the simulator says.
    pub total_amount: Option<rust_decimal::Decimal>,
}

/// What the simulators serve each account; none for accounts of other servers.
pub async fn read(
    settings: &Settings,
    book: &OrderBook,
    accounts: &[Account],
) -> anyhow::Result<Vec<Option<Expected>>> {
    let simulator = Simulator {
        http: reqwest::Client::builder().no_proxy().build()?,
        control: format!("{}/_control", settings.simulators_url()),
    };
    let mut expected = Vec::new();
    for account in accounts {
        let id = account.external_account_id.as_str();
        expected.push(match account.marketplace.as_str() {
            "AMAZON_IN" if settings.amazon_url.is_none() => Some(Expected {
                orders: count(book.orders().len()),
                order_lines: Some(count(book.line_count())),
                total_amount: Some(book.total()),
                returns: None,
            }),
            "AJIO" if settings.ajio_url.is_none() => {
                let orders = simulator.list("ajio/orders", "username", id).await?;
                let lines: i64 = orders.iter().filter_map(|order| order["lines"].as_i64()).sum();
                let returns = simulator.list("ajio/returns", "username", id).await?;
                Some(Expected {
                    orders: count(orders.len()),
                    order_lines: Some(lines),
                    total_amount: None,
                    returns: Some(count(returns.len())),
                })
            }
            "FLIPKART" => {
                let orders = simulator.list("flipkart/orders", "account", id).await?;
                let returns = simulator.list("flipkart/returns", "account", id).await?;
                Some(Expected {
                    orders: count(orders.len()),
                    order_lines: None,
                    total_amount: None,
                    returns: Some(count(returns.len())),
                })
            }
            _ => None,
        });
    }
    Ok(expected)
}

/// The simulators' control endpoints.
struct Simulator {
    http: reqwest::Client,
    control: String,
}

impl Simulator {
    /// What a marketplace has of an account.
    async fn list(&self, path: &str, parameter: &str, account: &str) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/{path}", self.control);
        let answer = self.http.get(url).query(&[(parameter, account)]).send().await?;
        answer.error_for_status()?.json().await.with_context(|| format!("read {path} of the simulators"))
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

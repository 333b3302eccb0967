//! Sellers and their marketplace accounts. The API makes those that are missing.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::plan::Seller;
use crate::api::Api;

const PATIENCE: Duration = Duration::from_secs(90);

/// A connected account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Index of its seller.
    pub seller: usize,
    /// The seller's id.
    pub seller_id: String,
    /// The platform's id.
    pub id: String,
    /// Code of the marketplace.
    pub marketplace: String,
    /// The marketplace's id of the seller.
    pub external_account_id: String,
    /// The seller's name for it.
    pub display_name: String,
    /// What is read of it: the kinds of [`SHOWN_KINDS`] that are live for its marketplace.
    pub kinds: Vec<&'static str>,
}

/// The kinds of runs that the demo shows.
const SHOWN_KINDS: [&str; 2] = ["ORDERS", "RETURNS"];

/// The id of the person's seller with this name. Signs the seller up when there is none.
pub async fn seller(api: &Api, name: &str) -> anyhow::Result<String> {
    let me = api.get("/v1/me").await?;
    let known = me["sellers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = known.iter().find(|seller| seller["name"] == name).cloned();
    let seller = match found {
        Some(seller) => seller,
        None => api.post("/v1/sellers", &json!({"name": name})).await?.1,
    };
    text(&seller, "seller_id")
}

/// Connects the planned accounts that are missing. Returns all planned accounts and how many it connected.
pub async fn connect(sellers: &[Seller<'_>]) -> anyhow::Result<(Vec<Account>, usize)> {
    let mut accounts = Vec::new();
    let mut connected = 0;
    for (index, seller) in sellers.iter().enumerate() {
        let marketplaces = api_list(&seller.api, "/v1/marketplaces", "marketplaces").await?;
        let path = format!("/v1/sellers/{}/accounts", seller.id);
        let known = api_list(&seller.api, &path, "accounts").await?;
        for planned in seller.accounts {
            let is_planned = |account: &&Value| {
                account["marketplace"] == planned.marketplace
                    && account["external_account_id"] == planned.external_account_id.as_str()
            };
            let account = if let Some(account) = known.iter().find(is_planned) {
                account.clone()
            } else {
                let body = json!({
                    "marketplace": planned.marketplace,
                    "external_account_id": planned.external_account_id,
                    "display_name": planned.display_name,
                    "details": planned.details,
                });
                connected += 1;
                seller.api.post(&path, &body).await?.1
            };
            accounts.push(Account {
                seller: index,
                seller_id: seller.id.clone(),
                id: text(&account, "account_id")?,
                marketplace: planned.marketplace.to_owned(),
                external_account_id: planned.external_account_id.clone(),
                display_name: planned.display_name.to_owned(),
                kinds: live_kinds(&marketplaces, planned.marketplace),
            });
        }
    }
    Ok((accounts, connected))
}

fn live_kinds(marketplaces: &[Value], code: &str) -> Vec<&'static str> {
    let marketplace = marketplaces.iter().find(|marketplace| marketplace["code"] == code);
    let offers = marketplace.and_then(|marketplace| marketplace["kinds"].as_array());
    let is_live = |kind: &&str| {
        offers.into_iter().flatten().any(|offer| offer["kind"] == *kind && offer["support"] == "LIVE")
    };
    SHOWN_KINDS.into_iter().filter(is_live).collect()
}

/// Switches the schedules of the sellers' other accounts off. An account of an earlier demo belongs to another order book or
/// server, and would otherwise store the orders that are served now.
pub async fn rest_others(database: &Client, accounts: &[Account]) -> anyhow::Result<()> {
    let sellers: Vec<&str> = accounts.iter().map(|account| account.seller_id.as_str()).collect();
    let ours: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    let sql = "update robnu.schedules set enabled = not enabled
                where seller_id::text = any($1) and enabled <> (account_id::text = any($2))";
    database.execute(sql, &[&sellers, &ours]).await.context("switch the schedules of other accounts off")?;
    Ok(())
}

/// Waits until each account has its own queue.
pub async fn wait_for_lanes(sellers: &[Seller<'_>], accounts: &[Account]) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        let mut waiting = Vec::new();
        for (index, seller) in sellers.iter().enumerate() {
            let path = format!("/v1/sellers/{}/accounts", seller.id);
            for account in api_list(&seller.api, &path, "accounts").await? {
                let ours = accounts
                    .iter()
                    .any(|known| known.seller == index && account["account_id"] == known.id.as_str());
                if ours && account["lane_state"] != "ACTIVE" {
                    waiting.push(format!("{} is {}", account["display_name"], account["lane_state"]));
                }
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            return Err(anyhow!(
                "lanes are not active after {} s: {}; read `cargo xtask logs lanes`",
                PATIENCE.as_secs(),
                waiting.join(", ")
            ));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Requests a sync of a kind. Returns the run's id and whether the run is new.
pub async fn ask_for_sync(api: &Api, account: &Account, kind: &str) -> anyhow::Result<(String, bool)> {
    let path = format!("/v1/sellers/{}/accounts/{}/sync", account.seller_id, account.id);
    let (status, run) = api.post(&path, &json!({"kind": kind, "full": false})).await?;
    Ok((text(&run, "run_id")?, status == StatusCode::ACCEPTED))
}

/// Reads a list from the API.
pub async fn api_list(api: &Api, path: &str, name: &str) -> anyhow::Result<Vec<Value>> {
    let answer = api.get(path).await?;
    answer[name].as_array().cloned().with_context(|| format!("GET {path} has no list {name}"))
}

/// A text field of a response.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    value[name]
        .as_str()
        .map(ToOwned::to_owned)
        .with_context(|| format!("the API's response has no {name}: {value}"))
}

//! Files of Meesho's panel are uploaded and imported, as a seller's browser does it: orders, corrected orders, and a month's payments. In a
//! repeated demo these are the same imports.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use reqwest::StatusCode;
use ring::digest;
use serde_json::{Value, json};

use super::accounts::{api_list, text};
use super::plan::Seller;
use crate::digest::hexadecimal;

/// A small file of the panel's form. Its rows are invented.
const FILE: &str = include_str!("../../../../shared/files/tests/data/meesho_orders_newer.csv");
/// An order that the corrected file does not name, and one whose status it corrects.
const LEFT_OUT: &str = "500000000000000003_1";
/// A month's payments, and the month.
const PAYMENTS: &str = include_str!("../../../../shared/files/tests/data/meesho_payments.csv");
const MONTH: &str = "2025-08";
const CORRECTED: [&str; 2] = ["PENDING,500000000000000004_1", "READY_TO_SHIP,500000000000000004_1"];

/// Meesho's id of the seller. An account without a key of the partner programme works with files.
const SUPPLIER: &str = "1000001";

const PATIENCE: Duration = Duration::from_mins(1);

/// The imports when they are over, and what they stored.
#[derive(Debug)]
pub struct Imported {
    /// The seller's name.
    pub seller: &'static str,
    /// The imports of the orders, of the corrected ones, and of the payments.
    pub imports: [Value; 3],
    /// How many orders the account has now.
    pub orders: usize,
    /// What the API says of the payments' month.
    pub money: Value,
}

impl Imported {
    /// One line about it.
    pub fn summary(&self) -> String {
        let kind = self.imports[0]["recognised_as"].as_str().unwrap_or("-");
        format!(
            "{kind}: {} orders are stored; a corrected file {}; a month settled to {}",
            self.orders,
            difference(&self.imports[1]),
            self.money["marketplaces"][0]["settled"].as_str().unwrap_or("-")
        )
    }
}

/// How a corrected file differs from the earlier one, in a few words.
pub fn difference(import: &Value) -> String {
    let of = &import["difference"];
    if of.is_null() {
        return "-".to_owned();
    }
    format!("adds {}, changes {}, leaves out {}", of["added"], of["changed"], of["missing"])
}

/// Connects a Meesho account, uploads the files one after the other, and waits for their imports.
pub async fn upload(seller: &Seller<'_>) -> anyhow::Result<Imported> {
    let base = format!("/v1/sellers/{}", seller.id);
    let account = account(seller, &base).await?;
    let first = import(seller, &base, &account, "orders.csv", FILE, None).await?;
    let lines = FILE.lines().filter(|line| !line.contains(LEFT_OUT)).map(|line| format!("{line}\n"));
    let corrected = lines.collect::<String>().replace(CORRECTED[0], CORRECTED[1]);
    let earlier = text(&first, "import_id")?;
    let second = import(seller, &base, &account, "orders-corrected.csv", &corrected, Some(&earlier)).await?;
    let orders =
        api_list(&seller.api, &format!("{base}/orders?account_id={account}&limit=200"), "orders").await?;
    let third = import(seller, &base, &account, "payments.csv", PAYMENTS, None).await?;
    let money = seller.api.get(&format!("{base}/money?month={MONTH}")).await?;
    Ok(Imported { seller: seller.name, imports: [first, second, third], orders: orders.len(), money })
}

/// Announces and sends one file, and waits for its import.
async fn import(
    seller: &Seller<'_>,
    base: &str,
    account: &str,
    name: &str,
    file: &str,
    corrects: Option<&str>,
) -> anyhow::Result<Value> {
    let sha256 = hexadecimal(digest::digest(&digest::SHA256, file.as_bytes()).as_ref());
    let mut announced =
        json!({"file_name": name, "content_type": "text/csv", "size_bytes": file.len(), "sha256": sha256});
    if let Some(earlier) = corrects {
        announced["corrects"] = json!(earlier);
    }
    let (_, asked) = seller.api.post(&format!("{base}/accounts/{account}/imports"), &announced).await?;
    if !asked["upload"].is_null() {
        send(&asked["upload"], file).await?;
    }
    wait(seller, &format!("{base}/imports/{}", text(&asked, "import_id")?)).await
}

async fn account(seller: &Seller<'_>, base: &str) -> anyhow::Result<String> {
    let known = api_list(&seller.api, &format!("{base}/accounts"), "accounts").await?;
    let is_ours =
        |account: &&Value| account["marketplace"] == "MEESHO" && account["external_account_id"] == SUPPLIER;
    if let Some(account) = known.iter().find(is_ours) {
        return text(account, "account_id");
    }
    let body = json!({"marketplace": "MEESHO", "external_account_id": SUPPLIER, "display_name": "Meesho",
        "details": {"supplier_id": SUPPLIER}});
    text(&seller.api.post(&format!("{base}/accounts"), &body).await?.1, "account_id")
}

/// Sends the file with the request that the API returned.
async fn send(request: &Value, file: &str) -> anyhow::Result<()> {
    let mut put = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?.put(text(request, "url")?);
    for header in request["headers"].as_array().into_iter().flatten() {
        let name = text(header, "name")?;
        if !matches!(name.as_str(), "host" | "content-length") {
            put = put.header(name, text(header, "value")?);
        }
    }
    let answer = put.body(file.to_owned()).send().await.context("send the file to the bucket")?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        status => Err(anyhow!("the bucket returned {status}; read `cargo xtask logs api`")),
    }
}

async fn wait(seller: &Seller<'_>, path: &str) -> anyhow::Result<Value> {
    let since = Instant::now();
    loop {
        let import = seller.api.get(path).await?;
        match import["state"].as_str() {
            Some("SUCCEEDED") => return Ok(import),
            Some("FAILED" | "CANCELLED") => {
                return Err(anyhow!(
                    "the import ended with {}; read `cargo xtask logs adapter-meesho`",
                    import["error"]
                ));
            }
            _ if since.elapsed() > PATIENCE => {
                return Err(anyhow!(
                    "the import is {} after {} s; read `cargo xtask logs adapter-meesho`",
                    import["state"],
                    PATIENCE.as_secs()
                ));
            }
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

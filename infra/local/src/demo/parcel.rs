//! A parcel comes back: a person scans it as damaged and files a claim, over the API. In a repeated demo it is the same parcel.

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::accounts::{api_list, text};
use super::plan::Seller;

/// The return as it is after the scan, and its claim.
#[derive(Debug)]
pub struct Parcel {
    /// The seller's name.
    pub seller: &'static str,
    /// The return.
    pub returned: Value,
    /// The claim.
    pub claim: Value,
}

impl Parcel {
    /// One line about it.
    pub fn summary(&self) -> String {
        let field = |of: &Value, name: &str| of[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} is {}, its claim is {}",
            field(&self.returned, "external_return_id"),
            field(&self.returned, "internal_status"),
            field(&self.claim, "status")
        )
    }
}

/// What the person claims: the parcel arrived, and its content is damaged.
const REASON: &str = "DAMAGED";

/// Scans a return of the seller and files a claim for it.
pub async fn come_back(seller: &Seller<'_>) -> anyhow::Result<Parcel> {
    let base = format!("/v1/sellers/{}", seller.id);
    let claims = api_list(&seller.api, &format!("{base}/claims?limit=200"), "claims").await?;
    let claim = match claims.into_iter().find(|claim| claim["reason"] == REASON) {
        Some(claim) => claim,
        None => receive_and_claim(seller, &base).await?,
    };
    let path = format!("{base}/returns/{}", text(&claim, "return_id")?);
    let returned = seller.api.get(&path).await?;
    if returned["internal_status"] != "RECEIVED" {
        return Err(anyhow!(
            "the scanned return is {}; read `cargo xtask logs api`",
            returned["internal_status"]
        ));
    }
    Ok(Parcel { seller: seller.name, returned, claim })
}

async fn receive_and_claim(seller: &Seller<'_>, base: &str) -> anyhow::Result<Value> {
    let code = text(&claimable(seller, base).await?, "tracking_number")?;
    let scan = json!({"code": code, "condition": "BAD", "reason": "torn", "quantity": 1});
    let scanned = seller.api.post(&format!("{base}/returns/scan"), &scan).await?.1;
    let id = text(&scanned["return"], "return_id")?;
    let claim = json!({"reason": REASON, "note": "arrived torn"});
    Ok(seller.api.post(&format!("{base}/returns/{id}/claim"), &claim).await?.1)
}

/// A return that is on its way and can be claimed for: the most urgent, or one without a known deadline.
async fn claimable(seller: &Seller<'_>, base: &str) -> anyhow::Result<Value> {
    let list = async |query: &str| {
        api_list(&seller.api, &format!("{base}/returns?limit=200{query}"), "returns").await
    };
    let (urgent, all) = (list("&sort=file_by").await?, list("").await?);
    let undated = all.into_iter().filter(|returned| returned["file_by"].is_null());
    urgent
        .into_iter()
        .chain(undated)
        .find(|returned| returned["internal_status"] == "EXPECTED" && returned["status"] != "CANCELLED")
        .with_context(|| format!("{} has no return that could be scanned", seller.name))
}

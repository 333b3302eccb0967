//! A parcel comes back: a person scans it as damaged and files a claim, over the API. In a repeated demo it is the same parcel.

use anyhow::anyhow;
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

/// Scans a return of one of the sellers and files a claim for it: the first seller's, unless the nightly sweep has taken up all of its
/// returns already.
pub async fn come_back(sellers: &[Seller<'_>]) -> anyhow::Result<Parcel> {
    for seller in sellers {
        let base = format!("/v1/sellers/{}", seller.id);
        let claims = api_list(&seller.api, &format!("{base}/claims?limit=200"), "claims").await?;
        if let Some(claim) = claims.into_iter().find(|claim| claim["reason"] == REASON) {
            return parcel(seller, &base, claim).await;
        }
    }
    for seller in sellers {
        let base = format!("/v1/sellers/{}", seller.id);
        if let Some(returned) = claimable(seller, &base).await? {
            let claim = receive_and_claim(seller, &base, &returned).await?;
            return parcel(seller, &base, claim).await;
        }
    }
    Err(anyhow!("no seller has a return that could be scanned"))
}

async fn parcel(seller: &Seller<'_>, base: &str, claim: Value) -> anyhow::Result<Parcel> {
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

async fn receive_and_claim(seller: &Seller<'_>, base: &str, returned: &Value) -> anyhow::Result<Value> {
    let code = text(returned, "tracking_number")?;
    let scan = json!({"code": code, "condition": "BAD", "reason": "torn", "quantity": 1});
    let scanned = seller.api.post(&format!("{base}/returns/scan"), &scan).await?.1;
    let id = text(&scanned["return"], "return_id")?;
    let claim = json!({"reason": REASON, "note": "arrived torn"});
    Ok(seller.api.post(&format!("{base}/returns/{id}/claim"), &claim).await?.1)
}

/// A return that is on its way and can be claimed for: the most urgent, or one without a known deadline.
async fn claimable(seller: &Seller<'_>, base: &str) -> anyhow::Result<Option<Value>> {
    let list = async |query: &str| {
        api_list(&seller.api, &format!("{base}/returns?limit=200{query}"), "returns").await
    };
    let (urgent, all) = (list("&sort=file_by").await?, list("").await?);
    let undated = all.into_iter().filter(|returned| returned["file_by"].is_null());
    let is_expected =
        |returned: &Value| returned["internal_status"] == "EXPECTED" && returned["status"] != "CANCELLED";
    Ok(urgent.into_iter().chain(undated).find(is_expected))
}

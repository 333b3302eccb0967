//! Denial of wallet: accounts that never work, for the queue that polls for them, and accounts that come and go, for the
//! calls that it takes to make and retire their queues.

use reqwest::Method;
use serde_json::{Value, json};

use super::budgets::{Count, GENERATIONS, IDLE_LANES, RECONNECTED, REFUSED_CHECKS, RESUMED};
use super::ground::{Caller, Ground};

/// Accounts with credentials of nobody.
const BOGUS: usize = 24;
/// Times that an account comes and goes.
const ROUNDS: usize = 24;
/// How long queues may take to be made, and runs to be refused, where accounts were taken.
const PATIENCE: u64 = 20;

/// Both.
pub async fn run(ground: &Ground<'_>) -> anyhow::Result<Vec<Count>> {
    let (mut bogus, churn) = tokio::try_join!(bogus(ground), churn(ground))?;
    bogus.extend(churn);
    Ok(bogus)
}

/// Each under another user name, in turns in two sellers, and tested where it was taken.
async fn bogus(ground: &Ground<'_>) -> anyhow::Result<Vec<Count>> {
    let person = ground.person("bogus").await?;
    let sellers = [ground.seller(&person).await?, ground.seller(&person).await?];
    let prefix = format!("nobody-{}", &ground.traces.run()[20..]);
    let mut taken = 0;
    for number in 0..BOGUS {
        let accounts = format!("/v1/sellers/{}/accounts", sellers[number % 2]);
        let name = format!("{prefix}-{number}");
        let details = json!({"username": name, "password": "anything"});
        let body = json!({"marketplace": "AJIO", "external_account_id": name, "display_name": name, "details": details});
        let made = ground.call(&person, Method::POST, &accounts, Some(body)).await?;
        if let Some(id) = made.body["account_id"].as_str() {
            taken += 1;
            ground.call(&person, Method::POST, &format!("{accounts}/{id}/test"), None).await?;
        }
    }
    // A kind of account that nobody can ask about.
    for (number, seller) in sellers.iter().enumerate() {
        let name = format!("{prefix}-{number}");
        let body = json!({"marketplace": "MEESHO", "external_account_id": name, "display_name": name,
            "details": {"supplier_id": name}});
        let made =
            ground.call(&person, Method::POST, &format!("/v1/sellers/{seller}/accounts"), Some(body)).await?;
        taken += usize::from(made.is_done());
    }
    let refused = async || ground.refused_by_ajio(|account| account.starts_with(&prefix)).await;
    let patience = if taken > 2 { PATIENCE } else { 0 };
    let refused = ground.until(patience, refused, |refused| *refused > REFUSED_CHECKS.most).await?;
    let lanes = async || {
        let sql = "select count(*) from robnu.marketplace_accounts a join robnu.sellers s using (seller_id)
            where s.signed_up_by = (select signed_up_by from robnu.sellers where seller_id = $1::text::uuid)
              and a.lane_queue_url is not null";
        ground.number(sql, &sellers[0]).await
    };
    let lanes = ground.until(if taken > 0 { 3 } else { 0 }, lanes, |lanes| *lanes > 0).await?;
    let tried = u64::try_from(BOGUS)?;
    Ok(vec![REFUSED_CHECKS.count(tried, refused), IDLE_LANES.count(tried, lanes)])
}

/// One account is disconnected and gets details again, another is paused and resumed.
async fn churn(ground: &Ground<'_>) -> anyhow::Result<Vec<Count>> {
    let person = ground.person("churner").await?;
    let seller = ground.seller(&person).await?;
    let accounts = format!("/v1/sellers/{seller}/accounts");
    let details = |name: &str| json!({"username": name, "password": "good"});
    let mut ids = Vec::new();
    for kind in ["A", "B"] {
        let name = format!("DV{kind}{}", &ground.traces.run()[20..]);
        let body = json!({"marketplace": "AJIO", "external_account_id": name, "display_name": "mine", "details": details(&name)});
        let made = ground.call(&person, Method::POST, &accounts, Some(body)).await?;
        ids.push((format!("{accounts}/{}", made.body["account_id"].as_str().unwrap_or_default()), name));
    }
    let again = json!({"details": details(&ids[0].1)});
    let step = |account: usize, step: &str| format!("{}/{step}", ids[account].0);
    let (reconnected, resumed) = tokio::try_join!(
        to_and_fro(ground, &person, [step(0, "disconnect"), step(0, "credentials")], Some(again)),
        to_and_fro(ground, &person, [step(1, "pause"), step(1, "resume")], None),
    )?;
    let sql = "select max(lane_generation)::bigint from robnu.marketplace_accounts where seller_id = $1::text::uuid";
    let generations = ground.number(sql, &seller).await?;
    let tried = u64::try_from(ROUNDS)?;
    Ok(vec![
        RECONNECTED.count(tried, reconnected),
        RESUMED.count(tried, resumed),
        GENERATIONS.count(tried, generations),
    ])
}

/// How often there and back again was done.
async fn to_and_fro(
    ground: &Ground<'_>,
    who: &Caller,
    [there, back]: [String; 2],
    body: Option<Value>,
) -> anyhow::Result<u64> {
    let mut done = 0;
    for _ in 0..ROUNDS {
        ground.call(who, Method::POST, &there, None).await?;
        let method = if body.is_some() { Method::PUT } else { Method::POST };
        done += u64::from(ground.call(who, method, &back, body.clone()).await?.is_done());
    }
    Ok(done)
}

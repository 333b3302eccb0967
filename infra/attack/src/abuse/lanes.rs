//! Denial of wallet. Accounts that never work would each cost a polled queue. Accounts that come and go would cost calls that
//! make and delete their queues.

use reqwest::Method;
use serde_json::{Value, json};

use super::budgets::{Count, GENERATIONS, IDLE_LANES, RECONNECTED, REFUSED_CHECKS, RESUMED};
use super::environment::{Caller, Environment};

/// Accounts with invalid credentials.
const BOGUS: usize = 24;
/// How often an account comes and goes.
const ROUNDS: usize = 24;
/// Seconds to wait for queues and rejected checks, if any account was accepted.
const PATIENCE: u64 = 20;

/// Tries both ways.
pub async fn run(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let (mut bogus, churn) = tokio::try_join!(bogus(environment), churn(environment))?;
    bogus.extend(churn);
    Ok(bogus)
}

/// Connects accounts under different user names, alternating between two sellers, and tests those that are accepted.
async fn bogus(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let person = environment.person("bogus").await?;
    let sellers = [environment.seller(&person).await?, environment.seller(&person).await?];
    let prefix = format!("nobody-{}", &environment.traces.run()[20..]);
    let mut taken = 0;
    for number in 0..BOGUS {
        let accounts = format!("/v1/sellers/{}/accounts", sellers[number % 2]);
        let name = format!("{prefix}-{number}");
        let details = json!({"username": name, "password": "anything"});
        let body = json!({"marketplace": "AJIO", "external_account_id": name, "display_name": name, "details": details});
        let made = environment.call(&person, Method::POST, &accounts, Some(body)).await?;
        if let Some(id) = made.body["account_id"].as_str() {
            taken += 1;
            environment.call(&person, Method::POST, &format!("{accounts}/{id}/test"), None).await?;
        }
    }
    // The platform cannot check the credentials of this kind of account.
    for (number, seller) in sellers.iter().enumerate() {
        let name = format!("{prefix}-{number}");
        let body = json!({"marketplace": "MEESHO", "external_account_id": name, "display_name": name,
            "details": {"supplier_id": name}});
        let made = environment
            .call(&person, Method::POST, &format!("/v1/sellers/{seller}/accounts"), Some(body))
            .await?;
        taken += usize::from(made.is_done());
    }
    let refused = async || environment.refused_by_ajio(|account| account.starts_with(&prefix)).await;
    let patience = if taken > 2 { PATIENCE } else { 0 };
    let refused = environment.until(patience, refused, |refused| *refused > REFUSED_CHECKS.most).await?;
    let lanes = async || {
        let sql = "select count(*) from robnu.marketplace_accounts a join robnu.sellers s using (seller_id)
            where s.signed_up_by = (select signed_up_by from robnu.sellers where seller_id = $1::text::uuid)
              and a.lane_queue_url is not null";
        environment.number(sql, &sellers[0]).await
    };
    let lanes = environment.until(if taken > 0 { 3 } else { 0 }, lanes, |lanes| *lanes > 0).await?;
    let tried = u64::try_from(BOGUS)?;
    Ok(vec![REFUSED_CHECKS.count(tried, refused), IDLE_LANES.count(tried, lanes)])
}

/// Disconnects one account and connects it again, and pauses another one and resumes it.
async fn churn(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let person = environment.person("churner").await?;
    let seller = environment.seller(&person).await?;
    let accounts = format!("/v1/sellers/{seller}/accounts");
    let details = |name: &str| json!({"username": name, "password": "good"});
    let mut ids = Vec::new();
    for kind in ["A", "B"] {
        let name = format!("DV{kind}{}", &environment.traces.run()[20..]);
        let body = json!({"marketplace": "AJIO", "external_account_id": name, "display_name": "mine", "details": details(&name)});
        let made = environment.call(&person, Method::POST, &accounts, Some(body)).await?;
        ids.push((format!("{accounts}/{}", made.body["account_id"].as_str().unwrap_or_default()), name));
    }
    let again = json!({"details": details(&ids[0].1)});
    let step = |account: usize, step: &str| format!("{}/{step}", ids[account].0);
    let (reconnected, resumed) = tokio::try_join!(
        to_and_fro(environment, &person, [step(0, "disconnect"), step(0, "credentials")], Some(again)),
        to_and_fro(environment, &person, [step(1, "pause"), step(1, "resume")], None),
    )?;
    let sql = "select max(lane_generation)::bigint from robnu.marketplace_accounts where seller_id = $1::text::uuid";
    let generations = environment.number(sql, &seller).await?;
    let tried = u64::try_from(ROUNDS)?;
    Ok(vec![
        RECONNECTED.count(tried, reconnected),
        RESUMED.count(tried, resumed),
        GENERATIONS.count(tried, generations),
    ])
}

/// Does something and undoes it, again and again. Returns how often undoing it succeeded.
async fn to_and_fro(
    environment: &Environment<'_>,
    who: &Caller,
    [there, back]: [String; 2],
    body: Option<Value>,
) -> anyhow::Result<u64> {
    let mut done = 0;
    for _ in 0..ROUNDS {
        environment.call(who, Method::POST, &there, None).await?;
        let method = if body.is_some() { Method::PUT } else { Method::POST };
        done += u64::from(environment.call(who, method, &back, body.clone()).await?.is_done());
    }
    Ok(done)
}

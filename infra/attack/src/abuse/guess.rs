//! Guessing the password of another seller's marketplace account through the platform: from several sellers of several
//! people, at the same time, by connecting, by new details and by tests.

use reqwest::Method;
use serde_json::json;

use super::budgets::{Count, GUESSES, TAKEN};
use super::ground::{Caller, Ground};

/// For each seller.
const GUESSES_EACH: usize = 4;
/// How long a test may take.
const PATIENCE: u64 = 15;

/// Guesses, the last time rightly.
pub async fn run(ground: &Ground<'_>) -> anyhow::Result<Vec<Count>> {
    let (name, password) = (format!("DV{}", &ground.traces.run()[20..]), "the-right-one");
    ground.know_at_ajio(&name, password).await?;
    let (one, other) = (ground.person("guesser").await?, ground.person("guessers-friend").await?);
    let sellers = [ground.seller(&one).await?, ground.seller(&one).await?, ground.seller(&other).await?];
    tokio::try_join!(
        wrongly(ground, &one, &sellers[0], &name),
        wrongly(ground, &one, &sellers[1], &name),
        wrongly(ground, &other, &sellers[2], &name),
    )?;
    let third = ground.seller(&other).await?;
    let taken = guess(ground, &other, &third, &mut None, &name, password).await?;
    let refused = ground.refused_by_ajio(|account| account.trim().eq_ignore_ascii_case(&name)).await?;
    let tried = u64::try_from(3 * GUESSES_EACH)?;
    Ok(vec![GUESSES.count(tried, refused), TAKEN.count(1, u64::from(taken))])
}

async fn wrongly(ground: &Ground<'_>, who: &Caller, seller: &str, name: &str) -> anyhow::Result<()> {
    let spellings = [name.to_owned(), name.to_lowercase(), name.to_owned(), name.replace("DV", "dV")];
    let mut account = None;
    for (number, spelling) in spellings.iter().take(GUESSES_EACH).enumerate() {
        guess(ground, who, seller, &mut account, spelling, &format!("wrong-{number}")).await?;
    }
    Ok(())
}

/// Whether the marketplace takes a password, as far as the platform tells.
async fn guess(
    ground: &Ground<'_>,
    who: &Caller,
    seller: &str,
    account: &mut Option<String>,
    name: &str,
    password: &str,
) -> anyhow::Result<bool> {
    let accounts = format!("/v1/sellers/{seller}/accounts");
    let details = json!({"username": name, "password": password});
    let (method, path, body) = if let Some(id) = account {
        (Method::PUT, format!("{accounts}/{id}/credentials"), json!({"details": details}))
    } else {
        let body = json!({"marketplace": "AJIO", "external_account_id": name, "display_name": "not mine",
            "details": details});
        (Method::POST, accounts.clone(), body)
    };
    let sent = ground.call(who, method, &path, Some(body)).await?;
    if !sent.is_done() {
        return Ok(false);
    }
    if let Some(id) = sent.body["account_id"].as_str() {
        *account = Some(id.to_owned());
    }
    let Some(id) = account else { return Ok(false) };
    let test = ground.call(who, Method::POST, &format!("{accounts}/{id}/test"), None).await?;
    if let Some(run) = test.body["run_id"].as_str() {
        let path = format!("/v1/sellers/{seller}/runs/{run}");
        ground
            .until(
                PATIENCE,
                async || ground.call(who, Method::GET, &path, None).await,
                |run| matches!(run.body["state"].as_str(), Some("SUCCEEDED" | "FAILED")) || !run.is_done(),
            )
            .await?;
    }
    let told = ground.call(who, Method::GET, &format!("{accounts}/{id}"), None).await?;
    Ok(told.body["last_validation"] == "OK")
}

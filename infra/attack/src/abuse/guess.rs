//! Guesses the password of another seller's marketplace account through the platform: from several sellers of several
//! people at the same time, by connecting, by new credentials and by tests.

use reqwest::Method;
use serde_json::json;

use super::budgets::{Count, GUESSES, TAKEN};
use super::environment::{Caller, Environment};

/// Guesses of each seller.
const GUESSES_EACH: usize = 4;
/// Seconds that a test may take.
const PATIENCE: u64 = 15;

/// Makes many wrong guesses and then the right one.
pub async fn run(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let (name, password) = (format!("DV{}", &environment.traces.run()[20..]), "the-right-one");
    environment.know_at_ajio(&name, password).await?;
    let (one, other) = (environment.person("guesser").await?, environment.person("guessers-friend").await?);
    let sellers =
        [environment.seller(&one).await?, environment.seller(&one).await?, environment.seller(&other).await?];
    tokio::try_join!(
        wrongly(environment, &one, &sellers[0], &name),
        wrongly(environment, &one, &sellers[1], &name),
        wrongly(environment, &other, &sellers[2], &name),
    )?;
    let third = environment.seller(&other).await?;
    let taken = guess(environment, &other, &third, &mut None, &name, password).await?;
    let refused = environment.refused_by_ajio(|account| account.trim().eq_ignore_ascii_case(&name)).await?;
    let tried = u64::try_from(3 * GUESSES_EACH)?;
    Ok(vec![GUESSES.count(tried, refused), TAKEN.count(1, u64::from(taken))])
}

async fn wrongly(
    environment: &Environment<'_>,
    who: &Caller,
    seller: &str,
    name: &str,
) -> anyhow::Result<()> {
    let spellings = [name.to_owned(), name.to_lowercase(), name.to_owned(), name.replace("DV", "dV")];
    let mut account = None;
    for (number, spelling) in spellings.iter().take(GUESSES_EACH).enumerate() {
        guess(environment, who, seller, &mut account, spelling, &format!("wrong-{number}")).await?;
    }
    Ok(())
}

/// Whether a password is right, as far as the platform says.
async fn guess(
    environment: &Environment<'_>,
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
    let sent = environment.call(who, method, &path, Some(body)).await?;
    if !sent.is_done() {
        return Ok(false);
    }
    if let Some(id) = sent.body["account_id"].as_str() {
        *account = Some(id.to_owned());
    }
    let Some(id) = account else { return Ok(false) };
    let test = environment.call(who, Method::POST, &format!("{accounts}/{id}/test"), None).await?;
    if let Some(run) = test.body["run_id"].as_str() {
        let path = format!("/v1/sellers/{seller}/runs/{run}");
        environment
            .until(
                PATIENCE,
                async || environment.call(who, Method::GET, &path, None).await,
                |run| matches!(run.body["state"].as_str(), Some("SUCCEEDED" | "FAILED")) || !run.is_done(),
            )
            .await?;
    }
    let shown = environment.call(who, Method::GET, &format!("{accounts}/{id}"), None).await?;
    Ok(shown.body["last_validation"] == "OK")
}

//! One person's burst: as many requests as possible within one ten-second counting window.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;

use super::budgets::{Count, REQUESTS};
use super::environment::Environment;

const TRIED: usize = 340;
/// Requests in flight at once.
const AT_ONCE: usize = 4;
const WINDOW: Duration = Duration::from_secs(10);
/// A distance from a window's borders, where a request could count in either window.
const JUST_AFTER: Duration = Duration::from_millis(50);

/// Waits for the beginning of a window and sends the burst.
pub async fn run(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let (person, _) = environment.bound_person("burst").await?;
    let into = Duration::from_micros(u64::try_from(now().as_micros() % WINDOW.as_micros())?);
    tokio::time::sleep(WINDOW.saturating_sub(into) + JUST_AFTER).await;
    let end = now() + WINDOW.saturating_sub(10 * JUST_AFTER);
    let (mut answered, mut tried) = (0, 0);
    while tried < TRIED && now() < end {
        let ask = || environment.call(&person, Method::GET, "/v1/me", None);
        let answers = tokio::try_join!(ask(), ask(), ask(), ask())?;
        let answers = [answers.0, answers.1, answers.2, answers.3];
        answered += answers.iter().filter(|answer| answer.is_done()).count();
        tried += AT_ONCE;
    }
    let mut seen = REQUESTS.count(u64::try_from(tried)?, u64::try_from(answered)?);
    // A slow machine may not manage enough requests to exceed the limit. Then all of them are answered, which is right.
    seen.tried = seen.tried.max(REQUESTS.most + 1);
    Ok(vec![seen])
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

//! What all ways of abuse share: people with free accounts, their sellers, calls whose responses are checked, and the
//! counters where the cost arises.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::test_bed::Facts;
use crate::tokens::Pools;
use local::aws::{Aws, Outputs};
use local::traces::Traces;

/// The stack as the abusers use it.
#[derive(Debug)]
pub struct Environment<'a> {
    /// Base URL of the API.
    pub api_url: String,
    /// Client for the API and the simulators.
    pub http: reqwest::Client,
    /// The local AWS.
    pub aws: Aws,
    /// A superuser's connection.
    pub superuser: Client,
    /// The traces of this run, to which all people here belong.
    pub traces: &'a Traces,
    aws_endpoint: String,
    simulators_url: String,
    outputs: Outputs,
    findings: Mutex<Vec<String>>,
}

/// A person with a free account.
#[derive(Debug)]
pub struct Caller {
    /// Their identity token.
    pub token: String,
}

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body; null when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Whether the request succeeded.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl<'a> Environment<'a> {
    /// Connects to the stack.
    pub async fn find(facts: &Facts, traces: &'a Traces) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(40))
            .build()?;
        Ok(Self {
            api_url: facts.get("api_url")?.to_owned(),
            http,
            aws: facts.aws()?,
            superuser: crate::test_bed::connect(&facts.get("database_url")?.parse()?).await?,
            traces,
            aws_endpoint: facts.get("aws_endpoint")?.to_owned(),
            simulators_url: facts.get("simulators_url")?.to_owned(),
            outputs: facts.outputs()?,
            findings: Mutex::default(),
        })
    }

    /// Signs a person up and lifts their rate limit. All other limits apply to them.
    pub async fn person(&self, name: &str) -> anyhow::Result<Caller> {
        let (caller, subject) = self.bound_person(name).await?;
        self.traces.unbind(&subject);
        Ok(caller)
    }

    /// Signs a person up who keeps their rate limit. Also returns their subject.
    pub async fn bound_person(&self, name: &str) -> anyhow::Result<(Caller, String)> {
        let pools = Pools { aws: &self.aws, outputs: &self.outputs };
        let person = pools.person(&self.traces.email(name)).await?;
        Ok((Caller { token: person.identity }, person.subject))
    }

    /// Signs a seller up and lifts its rate limit.
    pub async fn seller(&self, of: &Caller) -> anyhow::Result<String> {
        let answer =
            self.call(of, Method::POST, "/v1/sellers", Some(json!({"name": "a free account"}))).await?;
        let seller = answer.body["seller_id"].as_str();
        let seller = seller.ok_or_else(|| anyhow!("sign-up returned {}: {}", answer.status, answer.body))?;
        let sql =
            "update robnu.sellers set requests_per_window = 1000000000 where seller_id = $1::text::uuid";
        self.superuser.execute(sql, &[&seller]).await?;
        Ok(seller.to_owned())
    }

    /// Calls the API. A refusal must be 409 or 429 and say what to do; anything else is a finding.
    pub async fn call(
        &self,
        who: &Caller,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.api_url));
        request = request.bearer_auth(&who.token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let waits = retry_after.and_then(|text| text.parse::<u64>().ok());
        let body = answer.json().await.unwrap_or_default();
        if let Some(wrong) = wrong_with(status, waits, &body) {
            self.found(format!("{method} {path} was answered {status}, {wrong}"));
        }
        Ok(Answer { status, body })
    }

    /// Adds a finding, unless it is there already.
    pub fn found(&self, finding: String) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    /// All findings.
    pub fn findings(&self) -> Vec<String> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many sign-ins of the wanted user names AJIO has rejected.
    pub async fn refused_by_ajio(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<u64> {
        let ledger = self.control(Method::GET, "/ledger", None).await?;
        let lines = ledger["lines"].as_array().into_iter().flatten();
        let refused = lines.filter(|line| {
            line["marketplace"] == "ajio"
                && line["status"] == 401
                && wanted(line["account"].as_str().unwrap_or_default())
        });
        Ok(refused.filter_map(|line| line["requests"].as_u64()).sum())
    }

    /// Gives an AJIO user name its password.
    pub async fn know_at_ajio(&self, username: &str, password: &str) -> anyhow::Result<()> {
        let body = json!({"username": username, "password": password, "orders": 1});
        self.control(Method::POST, "/ajio/accounts", Some(body)).await.map(drop)
    }

    async fn control(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}/_control{path}", self.simulators_url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?.error_for_status().with_context(|| format!("control {path}"))?;
        Ok(answer.json().await.unwrap_or_default())
    }

    /// How many of our mails went to the wanted addresses.
    pub async fn mails(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<u64> {
        let url = format!("{}/_ministack/ses/messages", self.aws_endpoint);
        let all: Value = self.http.get(url).send().await?.error_for_status()?.json().await?;
        let accounts = all["messages"].as_object().into_iter().flat_map(|accounts| accounts.values());
        let mails = accounts.flat_map(|mails| mails.as_array().into_iter().flatten());
        let ours = mails.filter(|mail| {
            let of_the_pool = mail["Type"].as_str().is_some_and(|kind| kind.starts_with("Cognito"));
            let mut readers = mail["To"].as_array().into_iter().flatten().filter_map(Value::as_str);
            !of_the_pool && readers.any(&wanted)
        });
        Ok(u64::try_from(ours.count())?)
    }

    /// Reads one number from the database.
    pub async fn number(&self, sql: &str, seller: &str) -> anyhow::Result<u64> {
        let row = self.superuser.query_one(sql, &[&seller]).await?;
        Ok(u64::try_from(row.get::<_, i64>(0))?)
    }

    /// Looks again and again until there is enough or no time left. Returns the last look.
    pub async fn until<T>(
        &self,
        seconds: u64,
        mut look: impl AsyncFnMut() -> anyhow::Result<T>,
        enough: impl Fn(&T) -> bool,
    ) -> anyhow::Result<T> {
        let since = Instant::now();
        loop {
            let now = look().await?;
            if enough(&now) || since.elapsed() > Duration::from_secs(seconds) {
                return Ok(now);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// What is wrong with a response to a request too many; none when it is right.
fn wrong_with(status: u16, waits: Option<u64>, body: &Value) -> Option<String> {
    let code = body["code"].as_str().unwrap_or_default();
    match status {
        409 | 429 if code.is_empty() || body["detail"].as_str().is_none_or(str::is_empty) => {
            Some("without a problem that says what to do".to_owned())
        }
        429 if waits.is_none_or(|seconds| seconds == 0) => Some(format!("{code}, without Retry-After")),
        200..=299 | 409 | 429 => None,
        _ => Some(format!("{code}, where 409 or 429 is expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        let good = json!({"code": "rate_limited", "detail": "wait"});
        assert_eq!(wrong_with(204, None, &Value::Null), None);
        assert_eq!(wrong_with(409, None, &good), None);
        assert_eq!(wrong_with(429, Some(3), &good), None);
        for (status, waits, body) in [
            (429, None, &good),
            (429, Some(0), &good),
            (409, None, &json!({"code": "conflict"})),
            (403, None, &good),
            (404, None, &good),
            (500, None, &good),
            (502, None, &Value::Null),
        ] {
            assert!(wrong_with(status, waits, body).is_some(), "{status} {body}");
        }
    }
}

//! People at work in one seller. Each sends one request after the other at their own pace, and none may be refused.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::stack::{Stack, eventually};

/// A person at work.
pub struct Person<'a> {
    stack: &'a Stack,
    token: String,
    seller: String,
    pace: Mutex<Interval>,
    sent: Mutex<Vec<Instant>>,
}

impl<'a> Person<'a> {
    /// A person who sends one request per `every`.
    pub fn at_work(stack: &'a Stack, token: &str, seller: &str, every: Duration) -> Self {
        let mut pace = interval(every);
        // A slow machine makes the day longer, not denser.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stack,
            token: token.to_owned(),
            seller: format!("/v1/sellers/{seller}"),
            pace: Mutex::new(pace),
            sent: Mutex::default(),
        }
    }

    /// Sends a request, which must succeed. Returns the body.
    pub async fn does(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.tries(method.clone(), path, body).await;
        assert!(status.is_success(), "an honest seller is answered {status} to {method} {path}: {answer}");
        answer
    }

    /// Sends GET for something of the seller's.
    pub async fn reads(&self, path: &str) -> Value {
        self.does(Method::GET, path, None).await
    }

    /// Sends a request. Returns status and body.
    pub async fn tries(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.pace.lock().await.tick().await;
        self.sent.lock().await.push(Instant::now());
        let path = if path.starts_with("/v1/") { path.to_owned() } else { format!("{}{path}", self.seller) };
        self.stack.call(Some(&self.token), method, &path, body.as_ref()).await
    }

    /// The time of each request.
    pub async fn sent(&self) -> Vec<Instant> {
        self.sent.lock().await.clone()
    }

    /// Reads a run until it has ended.
    pub async fn waits_for(&self, run: &Value) -> Value {
        let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
        eventually("the run is over", 60, async || {
            let run = self.reads(&path).await;
            let is_over = !matches!(run["state"].as_str(), Some("QUEUED" | "RUNNING" | "WAITING"));
            is_over.then_some(run)
        })
        .await
    }

    /// Connects an account. All attempts but the last have a mistyped password, which the API or the test rejects. Nothing else may
    /// be refused.
    pub async fn connects(&self, account: &Value, attempts: &[Value]) -> String {
        let mut id: Option<String> = None;
        for (number, details) in attempts.iter().enumerate() {
            let is_right = number + 1 == attempts.len();
            let (method, path, body) = if let Some(id) = &id {
                (Method::PUT, format!("/accounts/{id}/credentials"), json!({"details": details}))
            } else {
                let mut body = account.clone();
                body["details"] = details.clone();
                (Method::POST, "/accounts".to_owned(), body)
            };
            let (status, answer) = self.tries(method, &path, Some(body)).await;
            if !status.is_success() {
                let code = answer["code"].as_str();
                let is_rejection = (status, code) == (StatusCode::CONFLICT, Some("credentials_refused"));
                assert!(is_rejection && !is_right, "{status} (right credentials: {is_right}): {answer}");
                continue;
            }
            let account = answer["account_id"].as_str().unwrap().to_owned();
            if attempts.len() > 1 {
                let test = self.does(Method::POST, &format!("/accounts/{account}/test"), None).await;
                let tested = self.waits_for(&test).await;
                assert_eq!(tested["state"] == "SUCCEEDED", is_right, "{tested}");
            }
            id = Some(account);
        }
        id.unwrap()
    }
}

/// The largest number of requests within any ten seconds.
pub fn busiest(mut sent: Vec<Instant>) -> usize {
    sent.sort_unstable();
    let within = |from: &Instant| {
        sent.iter().filter(|at| *at >= from && at.duration_since(*from) < Duration::from_secs(10)).count()
    };
    sent.iter().map(within).max().unwrap_or_default()
}

/// The token in the latest mail to an address.
pub async fn token_mailed_to(stack: &Stack, address: &str) -> String {
    let url = format!("{}/_ministack/ses/messages", stack.fact("aws_endpoint"));
    let all: Value = stack.http.get(url).send().await.unwrap().json().await.unwrap();
    let mails = all["messages"].as_object().unwrap().values().flat_map(|mails| mails.as_array().unwrap());
    let mut texts =
        mails.filter(|mail| mail["To"] == json!([address])).filter_map(|mail| mail["BodyText"].as_str());
    let text = texts.rfind(|text| text.contains("#token=")).expect("a mail with a token has come");
    text.split_once("#token=").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

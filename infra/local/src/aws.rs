//! The few calls to the local AWS that the commands need. They are plain HTTP without an SDK and never leave loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

/// The region of everything; the platform's sellers are in India.
pub const REGION: &str = "ap-south-1";

/// The outputs of a deployed stack.
pub type Outputs = BTreeMap<String, String>;

/// An output of the deployed stack.
pub fn output<'a>(outputs: &'a Outputs, name: &str) -> anyhow::Result<&'a str> {
    let value = outputs.get(name).map(String::as_str);
    value.with_context(|| format!("the stack has no output {name}; deploy it again with `cargo xtask up`"))
}

/// A client of the local AWS.
#[derive(Debug, Clone)]
pub struct Aws {
    http: reqwest::Client,
    endpoint: String,
}

/// A stack that exists.
#[derive(Debug, Clone)]
pub struct StackState {
    /// Such as `UPDATE_COMPLETE`.
    pub status: String,
    /// When it was last changed.
    pub changed: String,
    /// The template's outputs.
    pub outputs: Outputs,
}

impl Aws {
    /// A client of the endpoint.
    pub fn new(endpoint: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_mins(1))
            .build()
            .context("make an HTTP client")?;
        Ok(Self { http, endpoint })
    }

    /// Whether it responds.
    pub async fn is_healthy(&self) -> bool {
        let request = self.http.get(format!("{}/_ministack/health", self.endpoint));
        request.timeout(Duration::from_secs(2)).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Makes a bucket unless it exists.
    pub async fn ensure_bucket(&self, name: &str) -> anyhow::Result<()> {
        let url = format!("{}/{name}", self.endpoint);
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let answer = self.http.put(url).header(AUTHORIZATION, credential("s3")).body(body).send().await?;
        let status = answer.status();
        if status.is_success() || status.as_u16() == 409 {
            return Ok(());
        }
        Err(anyhow!(
            "making the bucket {name} failed with {status}: {}; read the local AWS's log, logs/cloud.log",
            answer.text().await?
        ))
    }

    /// Stores a secret under a fixed name and returns its ARN.
    pub async fn put_secret(&self, name: &str, value: &Value) -> anyhow::Result<String> {
        let text = value.to_string();
        let made = self
            .json(
                "secretsmanager",
                "secretsmanager.CreateSecret",
                &json!({"Name": name, "SecretString": text}),
            )
            .await;
        let answer = match made {
            Ok(answer) => answer,
            Err(error) if error.code == "ResourceExistsException" => {
                let body = json!({"SecretId": name, "SecretString": text});
                self.json("secretsmanager", "secretsmanager.PutSecretValue", &body).await?
            }
            Err(error) => return Err(error.into()),
        };
        let arn = answer["ARN"].as_str().context("read the secret's ARN")?;
        Ok(arn.to_owned())
    }

    /// The state of a stack; none when there is no such stack.
    pub async fn stack(&self, name: &str) -> anyhow::Result<Option<StackState>> {
        let answer =
            self.query("cloudformation", &[("Action", "DescribeStacks"), ("StackName", name)]).await?;
        let Some(status) = between(&answer, "<StackStatus>", "</StackStatus>") else { return Ok(None) };
        let outputs = answer
            .split("<OutputKey>")
            .skip(1)
            .filter_map(|part| {
                let key = part.split_once("</OutputKey>")?.0;
                Some((key.to_owned(), unescape(between(part, "<OutputValue>", "</OutputValue>")?)))
            })
            .collect();
        let time = |name: &str| between(&answer, &format!("<{name}>"), &format!("</{name}>"));
        let changed = time("LastUpdatedTime").or_else(|| time("CreationTime")).unwrap_or_default().to_owned();
        if status == "DELETE_COMPLETE" {
            return Ok(None);
        }
        Ok(Some(StackState { status: status.to_owned(), changed, outputs }))
    }

    /// Removes a stack and waits until it is gone.
    pub async fn delete_stack(&self, name: &str) -> anyhow::Result<()> {
        self.query("cloudformation", &[("Action", "DeleteStack"), ("StackName", name)]).await?;
        for _ in 0..600 {
            if self.stack(name).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(anyhow!(
            "the stack {name} is still being deleted after two minutes; `cargo xtask down --purge` removes everything"
        ))
    }

    /// Calls a service whose operations are named in a header.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, CallError> {
        let failed = |message: String| CallError { call: target.to_owned(), code: String::new(), message };
        let answer = self
            .http
            .post(&self.endpoint)
            .header(AUTHORIZATION, credential(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(body.to_string())
            .send()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| failed(error.to_string()))?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let code = value["__type"].as_str().unwrap_or_default();
        let message = value["message"].as_str().or(value["Message"].as_str()).unwrap_or(&text);
        Err(CallError {
            call: target.to_owned(),
            code: code.rsplit('#').next().unwrap_or_default().to_owned(),
            message: message.to_owned(),
        })
    }

    /// Calls a service whose operations have a method and a path.
    pub async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let call = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.endpoint));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.header(AUTHORIZATION, credential(service)).send().await;
        let answer = answer.with_context(|| call.clone())?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| call.clone())?;
        if !status.is_success() {
            return Err(anyhow!(
                "{call} of the local AWS failed with {status}: {text}; read its log, logs/cloud.log"
            ));
        }
        serde_json::from_str(&text).with_context(|| format!("{call}: read {text:?}"))
    }

    async fn query(&self, service: &str, form: &[(&str, &str)]) -> anyhow::Result<String> {
        let request = self.http.post(&self.endpoint).header(AUTHORIZATION, credential(service));
        let answer = request.form(form).send().await.context("call the local AWS")?;
        answer.text().await.context("read the local AWS's response")
    }
}

/// A call that returned an error.
#[derive(Debug)]
pub struct CallError {
    call: String,
    /// The service's name for the error.
    pub code: String,
    message: String,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} failed: {} {}", self.call, self.code, self.message)
    }
}

impl std::error::Error for CallError {}

/// A signature. The local AWS reads the service's name in it and checks nothing else.
fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

//! A connection to the local KMS that records the calls. It can refuse one of them, or hold it so that a test drops its caller
//! at that moment, as a crash would. Packages that need it name this file by its path.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::{Arc, Mutex};

use aws_sdk_kms::Client;
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::Value;
use tokio::sync::Notify;

/// Names the local cloud's endpoint.
const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";

/// A call of KMS: its operation and its request.
pub type Call = (String, Value);

/// The connection.
#[derive(Debug, Clone)]
pub struct Wire {
    inner: SharedHttpClient,
    calls: Arc<Mutex<Vec<Call>>>,
    fault: Arc<Mutex<Option<(&'static str, Fault)>>>,
}

/// What becomes of a call in place of a response.
#[derive(Debug, Clone)]
enum Fault {
    Hold(Arc<Notify>),
    Refuse,
}

impl Wire {
    pub fn new() -> Self {
        Self { inner: Builder::new().build_http(), calls: Arc::default(), fault: Arc::default() }
    }

    /// A client of the local KMS over this connection.
    pub fn kms(&self) -> Client {
        let endpoint = std::env::var(ENDPOINT_VARIABLE).unwrap_or_else(|_| {
            panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`")
        });
        Client::from_conf(
            aws_sdk_kms::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .endpoint_url(endpoint)
                .http_client(self.clone())
                .build(),
        )
    }

    /// Never makes the next call of this operation. The returned event happens when it is asked for.
    pub fn hold(&self, operation: &'static str) -> Arc<Notify> {
        let reached = Arc::new(Notify::new());
        *self.fault.lock().expect("no test panics with it") =
            Some((operation, Fault::Hold(Arc::clone(&reached))));
        reached
    }

    /// Refuses the next call of this operation.
    pub fn refuse(&self, operation: &'static str) {
        *self.fault.lock().expect("no test panics with it") = Some((operation, Fault::Refuse));
    }

    /// The requests of one operation since the beginning.
    pub fn requests(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().expect("no test panics with it");
        calls.iter().filter(|(known, _)| known == operation).map(|(_, request)| request.clone()).collect()
    }

    /// The KMS keys that one operation named, in order.
    pub fn keys(&self, operation: &str) -> Vec<String> {
        let named = |request: &Value| request["KeyId"].as_str().expect("it names a key").to_owned();
        self.requests(operation).iter().map(named).collect()
    }

    fn note(&self, request: &HttpRequest) -> Option<Fault> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.trim_start_matches("TrentService.").to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let mut fault = self.fault.lock().expect("no test panics with it");
        if fault.as_ref().is_some_and(|(meant, _)| *meant == operation) {
            return fault.take().map(|(_, fault)| fault);
        }
        self.calls.lock().expect("no test panics with it").push((operation, body));
        None
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { wire: self.clone(), connector })
    }
}

#[derive(Debug)]
struct Connector {
    wire: Wire,
    connector: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let fault = self.wire.note(&request);
        let connector = self.connector.clone();
        HttpConnectorFuture::new(async move {
            match fault {
                Some(Fault::Hold(reached)) => {
                    reached.notify_one();
                    std::future::pending::<()>().await;
                }
                Some(Fault::Refuse) => {
                    let body = r#"{"__type":"AccessDeniedException","message":"refused by the test"}"#;
                    return Ok(HttpResponse::new(400.try_into().expect("a status"), body.to_owned().into()));
                }
                None => {}
            }
            connector.call(request).await
        })
    }
}

/// Makes a KMS key and returns its ARN.
pub async fn new_kms_key(kms: &Client) -> String {
    let made = kms.create_key().send().await.expect("the local cloud makes a key");
    made.key_metadata.and_then(|key| key.arn).expect("a key has an ARN")
}

//! A connection to the local cloud that can respond in place of AWS or hold a call. It serves for errors that the local
//! cloud never returns (a name that was deleted a minute ago, a mapping that is still settling) and for races. It also
//! records the calls that the local cloud accepted.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The connection, shared by all clients of a test.
#[derive(Debug, Clone)]
pub struct Wire {
    inner: SharedHttpClient,
    faults: Arc<Mutex<Vec<Fault>>>,
    taken: Arc<Mutex<Vec<(String, String)>>>,
    tried: Arc<Mutex<Vec<(Instant, String, String)>>>,
    /// The calls that are still let through; all, if that is not bounded.
    left: Arc<Mutex<Option<usize>>>,
}

#[derive(Debug)]
struct Fault {
    operation: &'static str,
    containing: String,
    times: usize,
    effect: Effect,
}

#[derive(Debug, Clone)]
enum Effect {
    Answer { status: u16, code: &'static str, body: String },
    Hold(Gate),
}

/// A held call.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    reached: Arc<Notify>,
    open: Arc<Notify>,
}

impl Gate {
    /// Waits until the call is made.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the call through.
    pub fn open(&self) {
        self.open.notify_one();
    }
}

impl Wire {
    pub fn new(inner: SharedHttpClient) -> Self {
        Self {
            inner,
            faults: Arc::default(),
            taken: Arc::default(),
            tried: Arc::default(),
            left: Arc::default(),
        }
    }

    /// Returns an error of AWS to the next calls of an operation whose body or path contains a text. SQS's codes are given
    /// in the form of its older protocol, which SQS sends along with the newer one.
    pub fn refuse(&self, operation: &'static str, containing: &str, code: &'static str, times: usize) {
        let name = code.rsplit('.').next().unwrap_or(code);
        let body = format!(r#"{{"__type":"com.amazonaws#{name}","message":"refused by the test"}}"#);
        self.add(operation, containing, times, Effect::Answer { status: 400, code, body });
    }

    /// Returns a success to the next call of an operation without making it.
    pub fn pretend(&self, operation: &'static str, containing: &str, body: &str) {
        self.add(operation, containing, 1, Effect::Answer { status: 200, code: "", body: body.to_owned() });
    }

    /// Lets so many more calls through and refuses all later ones, as if the function had died there; `None` lets all through again.
    pub fn cut_after(&self, calls: Option<usize>) {
        *self.left.lock().expect("no test panics with it") = calls;
    }

    fn is_cut(&self) -> bool {
        let mut left = self.left.lock().expect("no test panics with it");
        match left.as_mut() {
            None => false,
            Some(0) => true,
            Some(calls) => {
                *calls -= 1;
                false
            }
        }
    }

    /// Holds the next call of an operation.
    pub fn hold(&self, operation: &'static str, containing: &str) -> Gate {
        let gate = Gate::default();
        self.add(operation, containing, 1, Effect::Hold(gate.clone()));
        gate
    }

    /// The number of faults that no call met.
    pub fn unused(&self) -> usize {
        self.faults.lock().expect("no test panics with it").iter().filter(|fault| fault.times > 0).count()
    }

    /// The number of an operation's successful calls whose body or path contains all these texts.
    pub fn taken(&self, operation: &str, containing: &[&str]) -> usize {
        let taken = self.taken.lock().expect("no test panics with it");
        let is_meant = |(known, text): &&(String, String)| {
            known == operation && containing.iter().all(|part| text.contains(part))
        };
        taken.iter().filter(is_meant).count()
    }

    /// Paths and bodies of an operation's successful calls.
    pub fn all_taken(&self, operation: &str) -> Vec<String> {
        let taken = self.taken.lock().expect("no test panics with it");
        taken.iter().filter(|(known, _)| known == operation).map(|(_, text)| text.clone()).collect()
    }

    /// An operation's calls, also those that were refused or cut off: when each began, and its path and body.
    pub fn tried(&self, operation: &str) -> Vec<(Instant, String)> {
        let tried = self.tried.lock().expect("no test panics with it");
        let is_meant =
            |(at, known, text): &(Instant, String, String)| (known == operation).then(|| (*at, text.clone()));
        tried.iter().filter_map(is_meant).collect()
    }

    /// The body of an operation's last call.
    pub fn last(&self, operation: &str) -> String {
        let (_, text) = self.tried(operation).pop().expect("a call");
        text.split_once(' ').map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn add(&self, operation: &'static str, containing: &str, times: usize, effect: Effect) {
        let fault = Fault { operation, containing: containing.to_owned(), times, effect };
        self.faults.lock().expect("no test panics with it").push(fault);
    }

    fn effect(&self, request: &HttpRequest) -> Option<Effect> {
        let (operation, text) = (operation(request), text(request));
        if self.is_cut() {
            return Some(Effect::Answer { status: 403, code: "AccessDenied", body: "{}".to_owned() });
        }
        let mut faults = self.faults.lock().expect("no test panics with it");
        let fault = faults.iter_mut().find(|fault| {
            fault.times > 0 && fault.operation == operation && text.contains(&fault.containing)
        })?;
        fault.times -= 1;
        Some(fault.effect.clone())
    }
}

fn text(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    format!("{} {body}", request.uri())
}

/// SQS names the operation in a header; Lambda's follow from method and path.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.trim_start_matches("AmazonSQS.").to_owned();
    }
    if request.uri().ends_with("/invocations") {
        return "Invoke".to_owned();
    }
    let verb = match request.method() {
        "POST" => "Create",
        "PUT" => "Update",
        "DELETE" => "Delete",
        _ => "List",
    };
    format!("{verb}EventSourceMapping")
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
        let effect = self.wire.effect(&request);
        let call = (operation(&request), text(&request));
        let tried = (Instant::now(), call.0.clone(), call.1.clone());
        self.wire.tried.lock().expect("no test panics with it").push(tried);
        let (connector, taken) = (self.connector.clone(), self.wire.taken.clone());
        HttpConnectorFuture::new(async move {
            match effect {
                Some(Effect::Answer { status, code, body }) => return Ok(answer(status, code, &body)),
                Some(Effect::Hold(gate)) => {
                    gate.reached.notify_one();
                    gate.open.notified().await;
                }
                None => {}
            }
            let answer = connector.call(request).await?;
            if answer.status().is_success() {
                taken.lock().expect("no test panics with it").push(call);
            }
            Ok(answer)
        })
    }
}

fn answer(status: u16, code: &str, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), body.to_owned().into());
    if !code.is_empty() {
        response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        response.headers_mut().insert("x-amzn-query-error", format!("{code};Sender"));
    }
    response
}

//! The event source mappings, in place of Lambda's: the function of lanes makes, pauses and removes them with its real calls, which the
//! gateway hands over, and each enabled mapping has its queue polled by the event source.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::function::Function;
use crate::source::Source;
use crate::strikes::lock;

/// Where Lambda has its mappings.
const PATH: &str = "/2015-03-31/event-source-mappings";

/// A queue that a function is to be fed from, until the switch is off.
#[derive(Debug)]
pub struct Feed {
    queue_arn: String,
    function_arn: String,
    is_enabled: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Mapping {
    id: String,
    queue_arn: String,
    function_arn: String,
    is_enabled: Arc<AtomicBool>,
}

/// All mappings.
#[derive(Debug)]
pub struct Mappings {
    all: Mutex<Vec<Mapping>>,
    feeds: UnboundedSender<Feed>,
}

/// The ARN under which mappings name a marketplace's adapter.
pub fn adapter_arn(code: &str) -> String {
    format!("arn:aws:lambda:ap-south-1:000000000000:function:chaos-{code}:live")
}

impl Mappings {
    /// No mappings yet, and what the event source is to poll from now on.
    pub fn new() -> (Arc<Self>, UnboundedReceiver<Feed>) {
        let (feeds, receiver) = unbounded_channel();
        (Arc::new(Self { all: Mutex::default(), feeds }), receiver)
    }

    /// Maps a queue to a function, and returns the mapping's id; none if the queue has one.
    pub fn add(&self, queue_arn: &str, function_arn: &str) -> Option<String> {
        let mut all = lock(&self.all);
        if all.iter().any(|mapping| mapping.queue_arn == queue_arn) {
            return None;
        }
        let id = Uuid::now_v7().to_string();
        let mapping = Mapping {
            id: id.clone(),
            queue_arn: queue_arn.to_owned(),
            function_arn: function_arn.to_owned(),
            is_enabled: self.feed(queue_arn, function_arn),
        };
        all.push(mapping);
        Some(id)
    }

    /// The queues of the enabled mappings.
    pub fn queues(&self) -> Vec<String> {
        let all = lock(&self.all);
        let enabled = all.iter().filter(|mapping| mapping.is_enabled.load(Ordering::Relaxed));
        enabled.map(|mapping| mapping.queue_arn.clone()).collect()
    }

    /// Whether a call is about mappings.
    pub fn is_meant(path: &str) -> bool {
        path.starts_with(PATH)
    }

    /// Answers a call as Lambda does.
    pub fn answer(
        &self,
        method: &Method,
        path: &str,
        query: &HashMap<String, String>,
        body: &Value,
    ) -> Response<Body> {
        let id = path.trim_start_matches(PATH).trim_matches('/');
        match *method {
            Method::GET if id.is_empty() => self.list(query.get("EventSourceArn")),
            Method::POST => self.create(body),
            Method::PUT => self.update(id, body),
            Method::DELETE => self.delete(id),
            _ => error(StatusCode::NOT_FOUND, "ResourceNotFoundException"),
        }
    }

    /// Begins to poll a queue, and returns the switch that ends it.
    fn feed(&self, queue_arn: &str, function_arn: &str) -> Arc<AtomicBool> {
        let is_enabled = Arc::new(AtomicBool::new(true));
        let feed = Feed {
            queue_arn: queue_arn.to_owned(),
            function_arn: function_arn.to_owned(),
            is_enabled: Arc::clone(&is_enabled),
        };
        // At the end of a run nobody polls any more.
        drop(self.feeds.send(feed));
        is_enabled
    }

    fn list(&self, queue_arn: Option<&String>) -> Response<Body> {
        let all = lock(&self.all);
        let meant = all.iter().filter(|mapping| queue_arn.is_none_or(|arn| *arn == mapping.queue_arn));
        success(&json!({"EventSourceMappings": meant.map(Mapping::shown).collect::<Vec<Value>>()}))
    }

    fn create(&self, body: &Value) -> Response<Body> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        match self.add(text("EventSourceArn"), text("FunctionName")) {
            Some(id) => success(&json!({"UUID": id, "State": "Creating"})),
            None => error(StatusCode::CONFLICT, "ResourceConflictException"),
        }
    }

    fn update(&self, id: &str, body: &Value) -> Response<Body> {
        let mut all = lock(&self.all);
        let Some(mapping) = all.iter_mut().find(|mapping| mapping.id == id) else {
            return error(StatusCode::NOT_FOUND, "ResourceNotFoundException");
        };
        if let Some(function) = body["FunctionName"].as_str() {
            function.clone_into(&mut mapping.function_arn);
        }
        mapping.is_enabled.store(false, Ordering::Relaxed);
        if body["Enabled"] != json!(false) {
            mapping.is_enabled = self.feed(&mapping.queue_arn, &mapping.function_arn);
        }
        success(&mapping.shown())
    }

    fn delete(&self, id: &str) -> Response<Body> {
        let mut all = lock(&self.all);
        let Some(at) = all.iter().position(|mapping| mapping.id == id) else {
            return error(StatusCode::NOT_FOUND, "ResourceNotFoundException");
        };
        let gone = all.swap_remove(at);
        gone.is_enabled.store(false, Ordering::Relaxed);
        success(&gone.shown())
    }
}

impl Mapping {
    fn shown(&self) -> Value {
        let state = if self.is_enabled.load(Ordering::Relaxed) { "Enabled" } else { "Disabled" };
        json!({"UUID": self.id, "EventSourceArn": self.queue_arn, "FunctionArn": self.function_arn, "State": state})
    }
}

/// Polls the queues of mappings as they come, each until its mapping is disabled or removed. `queues` is the address of all queues.
pub async fn feed(
    source: Arc<Source>,
    mut feeds: UnboundedReceiver<Feed>,
    functions: HashMap<String, Arc<Function>>,
    queues: String,
) {
    let mut pollers = JoinSet::new();
    while let Some(feed) = feeds.recv().await {
        let name = feed.queue_arn.rsplit(':').next().unwrap_or_default();
        let Some(function) = functions.get(&feed.function_arn) else { continue };
        source.poll_while(&format!("{queues}/{name}"), function, feed.is_enabled, &mut pollers);
        while pollers.try_join_next().is_some() {}
    }
}

fn success(body: &Value) -> Response<Body> {
    Response::new(Body::from(body.to_string()))
}

fn error(status: StatusCode, code: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({"__type": code, "message": code}).to_string()));
    *response.status_mut() = status;
    if let Ok(code) = code.parse() {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_one_mapping_which_is_fed_until_it_is_disabled_or_removed() {
        let (mappings, mut feeds) = Mappings::new();
        let create = json!({"EventSourceArn": "arn:q", "FunctionName": "arn:f"});
        let call = |method: Method, id: &str, body: &Value| {
            mappings.answer(&method, &format!("{PATH}/{id}"), &HashMap::new(), body).status()
        };
        assert_eq!(call(Method::POST, "", &create), StatusCode::OK);
        assert_eq!(call(Method::POST, "", &create), StatusCode::CONFLICT);
        let first = feeds.try_recv().unwrap();
        assert!(first.is_enabled.load(Ordering::Relaxed));
        let id = lock(&mappings.all)[0].id.clone();
        assert_eq!(call(Method::PUT, &id, &json!({"Enabled": false})), StatusCode::OK);
        assert!(!first.is_enabled.load(Ordering::Relaxed) && feeds.try_recv().is_err());
        assert_eq!(mappings.queues(), [""; 0]);
        assert_eq!(call(Method::PUT, &id, &json!({"Enabled": true})), StatusCode::OK);
        let again = feeds.try_recv().unwrap();
        assert_eq!(mappings.queues(), ["arn:q"]);
        assert_eq!(call(Method::DELETE, &id, &Value::Null), StatusCode::OK);
        assert!(!again.is_enabled.load(Ordering::Relaxed));
        assert_eq!(call(Method::DELETE, &id, &Value::Null), StatusCode::NOT_FOUND);
    }
}

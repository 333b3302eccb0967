//! A function's real binary under a runtime API of our own, so that a test can send it events and kill it at any moment.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};

/// The outcome of an event.
#[derive(Debug)]
pub enum Answer {
    /// The function's response.
    Response(Value),
    /// The function's error.
    Error(Value),
}

type Event = (Value, oneshot::Sender<Answer>);

#[derive(Debug)]
struct RuntimeApi {
    events: Mutex<mpsc::Receiver<Event>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    next_id: AtomicU64,
    timeout: Duration,
}

/// A running function.
#[derive(Debug)]
pub struct LambdaProcess {
    child: Child,
    events: mpsc::Sender<Event>,
    api: tokio::task::JoinHandle<std::io::Result<()>>,
    log: Arc<std::sync::Mutex<Vec<String>>>,
}

impl LambdaProcess {
    /// Starts `binary` with only `environment` and the runtime's own variables. Each event may take `timeout`.
    ///
    /// # Panics
    /// Panics when the binary cannot be started.
    pub async fn start(binary: impl AsRef<Path>, environment: &[(&str, String)], timeout: Duration) -> Self {
        let (events, receiver) = mpsc::channel(16);
        let api = Arc::new(RuntimeApi {
            events: Mutex::new(receiver),
            waiting: Mutex::default(),
            next_id: AtomicU64::new(1),
            timeout,
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(StatusCode::ACCEPTED))
            .with_state(api);
        let api = tokio::spawn(async move { axum::serve(listener, router).await });

        let mut child = Command::new(binary.as_ref())
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "under-test")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "none")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "none")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the function's binary starts");
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                lines.lock().expect("not poisoned").push(line);
            }
        });
        Self { child, events, api, log }
    }

    /// Sends the function an event. The answer never comes if the function is killed first.
    ///
    /// # Panics
    /// Panics when the function has ended.
    pub async fn send(&self, event: Value) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.events.send((event, sender)).await.expect("the runtime API runs as long as the test");
        receiver
    }

    /// Sends the function an event and waits for its answer.
    ///
    /// # Panics
    /// Panics when no answer comes in time.
    pub async fn invoke(&self, event: Value) -> Answer {
        let answer = self.send(event).await;
        let answer = tokio::time::timeout(Duration::from_mins(1), answer).await;
        answer.unwrap_or_else(|_| panic!("no answer; log: {:#?}", self.log())).expect("the function answers")
    }

    /// Kills the process as a crash would: no destructor runs, and no connection is closed properly.
    ///
    /// # Panics
    /// Panics when it cannot be killed.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the process can be killed");
    }

    /// The process's id, until it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) {
        // An error means that the system does not know the process any more.
        drop(self.child.wait().await);
    }

    /// Returns what the function has logged so far.
    ///
    /// # Panics
    /// Never in practice.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("not poisoned").clone()
    }

    /// Returns the exit code, for a function that refuses to start.
    ///
    /// # Panics
    /// Panics when the process does not end within ten seconds.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let status = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        status.expect("the process ends").expect("its status can be read").code()
    }
}

impl Drop for LambdaProcess {
    fn drop(&mut self) {
        self.api.abort();
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let Some((event, sender)) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let id = format!("request-{}", api.next_id.fetch_add(1, Ordering::SeqCst));
    api.waiting.lock().await.insert(id.clone(), sender);
    let deadline = SystemTime::now() + api.timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).expect("after 1970").as_millis().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:ap-south-1:000000000000:function:under-test".to_owned(),
        ),
    ];
    (headers, Json(event)).into_response()
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    UrlPath(id): UrlPath<String>,
    body: String,
) -> StatusCode {
    finish(&api, &id, Answer::Response(serde_json::from_str(&body).unwrap_or(Value::String(body)))).await
}

async fn error(State(api): State<Arc<RuntimeApi>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    finish(&api, &id, Answer::Error(serde_json::from_str(&body).unwrap_or(Value::String(body)))).await
}

async fn finish(api: &RuntimeApi, id: &str, answer: Answer) -> StatusCode {
    if let Some(sender) = api.waiting.lock().await.remove(id) {
        // A test may no longer wait for the answer.
        drop(sender.send(answer));
    }
    StatusCode::ACCEPTED
}

//! The command `console`: a page for operators, served on this machine only. The page only draws; what is stuck, what helps and how a
//! marketplace is doing is decided here, as for the other commands. Every call goes to the redrive function.

mod assets;
mod changes;
mod guard;
mod problem;
mod reads;

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::failure::{Exit, Failure};
use local::terminal::print;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;

use crate::cli::ConsoleOptions;
use crate::stack::Stack;

/// A console that listens.
#[derive(Debug)]
pub struct Console {
    listener: TcpListener,
    desk: Desk,
}

/// What every request needs.
#[derive(Debug)]
struct Desk {
    stack: Stack,
    /// Who makes changes; none when the page only reads.
    operator: Option<String>,
    /// Whoever knows it may use the console. It is in the printed URL and nowhere else.
    token: String,
    port: u16,
}

/// Prints the console's URL and serves it until the command is ended.
pub(crate) async fn run(stack: Stack, options: &ConsoleOptions) -> anyhow::Result<()> {
    let console = Console::open(stack, options).await?;
    print(&console.url())?;
    let mode = console.desk.operator.as_ref().map_or_else(
        || "It only reads; --allow-changes lets it redrive, discard, pause and resume.".to_owned(),
        |operator| format!("It may redrive, discard, pause and resume, as {operator}."),
    );
    eprintln!("Open this address: it shows {}. {mode} Ctrl-C ends it.", console.desk.stack.name);
    console.serve().await
}

impl Console {
    /// Listens on a port of 127.0.0.1.
    pub async fn open(stack: Stack, options: &ConsoleOptions) -> anyhow::Result<Self> {
        let operator = options.operator.clone().filter(|name| !name.trim().is_empty());
        let missing = || {
            let next = "name yourself with --operator, for the record of changes";
            Failure::new(Exit::Usage, "nobody is named who would make the changes", next)
        };
        let operator = if options.allow_changes { Some(operator.ok_or_else(missing)?) } else { None };
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|error| {
            let next = "choose another one with --port, or leave that away for a free one";
            Failure::new(Exit::PortTaken, format!("port {} cannot be used: {error}", options.port), next)
        })?;
        let port = listener.local_addr().context("read the console's port")?.port();
        Ok(Self { listener, desk: Desk { stack, operator, token: token()?, port } })
    }

    /// Where the page is, with the token that it needs. A fragment is sent to no server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/#token={}", self.desk.port, self.desk.token)
    }

    /// Serves the page without end.
    pub async fn serve(self) -> anyhow::Result<()> {
        axum::serve(self.listener, router(Arc::new(self.desk))).await.context("serve the console")
    }
}

fn router(desk: Arc<Desk>) -> Router {
    let pages = assets::ALL
        .iter()
        .fold(Router::new(), |router, asset| router.route(asset.path, get(async || asset.response())));
    pages
        .route("/api/about", get(reads::about))
        .route("/api/stuck", get(reads::stuck))
        .route("/api/marketplaces", get(reads::marketplaces))
        .route("/api/accounts", get(reads::accounts))
        .route("/api/runs", get(reads::runs))
        .route("/api/runs/{id}", get(reads::story))
        .route("/api/dead-letters", get(reads::letters))
        .route("/api/dead-letters/{id}", get(reads::letter))
        .route("/api/redrive", post(changes::redrive))
        .route("/api/discard", post(changes::discard))
        .route("/api/hold", post(changes::hold))
        .route("/api/resume", post(changes::resume))
        .layer(from_fn_with_state(Arc::clone(&desk), guard::guard))
        .with_state(desk)
}

/// 256 random bits, as text.
fn token() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok().context("the system has no random numbers")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

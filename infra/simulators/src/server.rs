//! Serves a simulator on a port, for a test or for the binary.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::config::SimulatorConfig;
use crate::control;
use crate::error::SimulatorError;
use crate::handler;
use crate::simulated::Marketplaces;
use crate::state::State;

/// How long calls in flight may take when a simulator stops.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(200);

/// Where a simulator can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Host and port.
    pub address: SocketAddr,
    /// Base URL of all paths, without a slash at the end.
    pub base_url: String,
    /// Base URL of AJIO's API.
    pub ajio_base_url: String,
    /// Base URL of Amazon's API, of its token service and of Seller Central.
    pub amazon_base_url: String,
    /// Base URL of Flipkart.
    pub flipkart_base_url: String,
    /// Base URL of the bridge to Meesho.
    pub meesho_base_url: String,
    /// Base URL of the control endpoints.
    pub control_url: String,
}

impl From<SocketAddr> for Addresses {
    fn from(address: SocketAddr) -> Self {
        let base_url = format!("http://{address}");
        Self {
            address,
            ajio_base_url: format!("{base_url}/ajio"),
            amazon_base_url: format!("{base_url}/amazon"),
            flipkart_base_url: format!("{base_url}/flipkart"),
            meesho_base_url: format!("{base_url}/meesho"),
            control_url: format!("{base_url}/_control"),
            base_url,
        }
    }
}

/// The HTTP routes of a simulator.
pub fn router(state: &State) -> Router {
    let control = Router::new().nest("/_control", control::routes(state.clone()));
    Marketplaces::PATHS.into_iter().fold(control, |router, (path, marketplace)| {
        let state = state.clone();
        let calls =
            Router::new().fallback(move |request: Request| handler::handle(state, marketplace, request));
        router.nest(path, calls)
    })
}

/// Serves until `shutdown` completes. Calls in flight then have a short time to end.
pub async fn serve(
    listener: TcpListener,
    state: State,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SimulatorError> {
    let (begin_stop, stopping) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(&state)).with_graceful_shutdown(async {
        shutdown.await;
        let _ = begin_stop.send(());
    });
    // A call that hangs on purpose must not delay the stop.
    let deadline = async {
        if stopping.await.is_ok() {
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        }
    };
    tokio::select! {
        ended = server => ended.map_err(SimulatorError::Run),
        () = deadline => Ok(()),
    }
}

/// A simulator on its own thread, for blocking and asynchronous tests. Dropping it stops it.
pub struct Simulator {
    addresses: Addresses,
    state: State,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Binds the configured address and serves. The simulator accepts calls when this returns.
    pub fn start(config: &SimulatorConfig) -> Result<Self, SimulatorError> {
        let bind = config.bind;
        let state = State::new(config);
        let served = state.clone();
        let (shutdown, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("simulators".to_owned())
            .spawn(move || run(bind, served, &bound, stopped))
            .map_err(SimulatorError::Run)?;
        let gone =
            || SimulatorError::Run(std::io::Error::other("the server's thread ended before it was bound"));
        let address = address.recv().map_err(|_| gone())??;
        Ok(Self {
            addresses: Addresses::from(address),
            state,
            shutdown: Some(shutdown),
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.addresses.base_url
    }

    /// Base URL of AJIO's API.
    #[must_use]
    pub fn ajio_base_url(&self) -> &str {
        &self.addresses.ajio_base_url
    }

    /// Base URL of Amazon's API, of its token service and of Seller Central.
    #[must_use]
    pub fn amazon_base_url(&self) -> &str {
        &self.addresses.amazon_base_url
    }

    /// Base URL of Flipkart.
    #[must_use]
    pub fn flipkart_base_url(&self) -> &str {
        &self.addresses.flipkart_base_url
    }

    /// Base URL of the bridge to Meesho.
    #[must_use]
    pub fn meesho_base_url(&self) -> &str {
        &self.addresses.meesho_base_url
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.address
    }
}

/// The state's methods set faults, read the ledger, and change clock and orders.
impl std::ops::Deref for Simulator {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Both fail only if the server has already ended.
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    bind: SocketAddr,
    state: State,
    bound: &mpsc::Sender<Result<SocketAddr, SimulatorError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            let _ = bound.send(Err(SimulatorError::Run(source)));
            return;
        }
    };
    runtime.block_on(async {
        let binding = match TcpListener::bind(bind).await {
            Ok(listener) => listener.local_addr().map(|address| (listener, address)),
            Err(source) => Err(source),
        };
        let (listener, address) = match binding {
            Ok(bound_to) => bound_to,
            Err(source) => {
                let _ = bound.send(Err(SimulatorError::Listen { address: bind, source }));
                return;
            }
        };
        let _ = bound.send(Ok(address));
        let _ = serve(listener, state, async {
            let _ = stopped.await;
        })
        .await;
    });
    runtime.shutdown_background();
}

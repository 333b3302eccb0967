//! The simulators as a process: all marketplaces on one port, and the bound address as one line of JSON on standard output.

mod files;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use simulators::{Addresses, OrderBook, Quota, SimulatorConfig, SimulatorError, State, serve};
use tokio::net::TcpListener;

/// Exit code for an invalid order book or argument; clap uses the same for arguments.
const BAD_INPUT: u8 = 2;

/// Simulates AJIO dropship (under /ajio), Amazon's Selling Partner API (under /amazon), Flipkart's seller API
/// (under /flipkart) and a bridge to Meesho's partner programme (under /meesho).
///
/// The first line on standard output is JSON with the bound address. Calls under /_control set faults, read the ledger and
/// change orders.
#[derive(Parser)]
#[command(name = "simulators", version)]
struct Arguments {
    /// Address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 chooses a free one
    #[arg(long, default_value_t = 9700)]
    port: u16,
    /// Order book of Amazon and Flipkart as CSV [default: a small invented one]
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Requests per second of Amazon's searchOrders, for each account
    #[arg(long, value_name = "RATE", default_value = "0.0056", value_parser = rate)]
    amazon_rate: f64,
    /// Burst of requests of Amazon's searchOrders, for each account
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    amazon_burst: u32,
    /// How often a client finds a report of Amazon's unfinished before it is ready
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    amazon_report_looks: u32,
    /// Lifetime of an Amazon access token
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    amazon_token_seconds: u32,
    /// Orders in the generated book of each AJIO user name
    #[arg(long, value_name = "COUNT", default_value_t = 120)]
    ajio_orders: usize,
    /// Requests per second of each AJIO user name [default: not throttled]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    ajio_rate: Option<f64>,
    /// Burst of requests of each AJIO user name, when a rate is given
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    ajio_burst: u32,
    /// Lifetime of an AJIO access token
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800)]
    ajio_token_seconds: u32,
    /// Write the reports that the panels hand out for these books into a folder, and end
    #[arg(long, value_name = "FOLDER")]
    write_files: Option<PathBuf>,
}

impl Arguments {
    fn config(&self, book: OrderBook) -> SimulatorConfig {
        let mut config = SimulatorConfig::new(book);
        config.bind = SocketAddr::new(self.host, self.port);
        config.amazon.search_orders = Quota { rate: self.amazon_rate, burst: self.amazon_burst };
        config.amazon.report_looks = self.amazon_report_looks;
        config.amazon.token_seconds = self.amazon_token_seconds;
        config.ajio.orders = self.ajio_orders;
        config.ajio.token_seconds = self.ajio_token_seconds;
        config.ajio.quota = self.ajio_rate.map(|rate| Quota { rate, burst: self.ajio_burst });
        config
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(rate),
        _ => Err("give requests per second, such as 0.5".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let book = match &arguments.orders {
        Some(path) => OrderBook::from_path(path),
        None => OrderBook::sample(),
    };
    let book = match book {
        Ok(book) => book,
        Err(error) => {
            eprintln!("simulators: {:#}", anyhow::Error::new(error));
            return ExitCode::from(BAD_INPUT);
        }
    };
    let config = arguments.config(book);
    let done = match &arguments.write_files {
        Some(folder) => files::write(config, folder),
        None => run(&config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulators: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: &SimulatorConfig) -> anyhow::Result<()> {
    let state = State::new(config);
    let listen = |source| SimulatorError::Listen { address: config.bind, source };
    let listener = TcpListener::bind(config.bind).await.map_err(listen)?;
    announce(&Addresses::from(listener.local_addr().context("read the bound address")?))?;
    serve(listener, state, stop_signal()).await?;
    Ok(())
}

fn announce(addresses: &Addresses) -> anyhow::Result<()> {
    let line = serde_json::to_string(addresses).context("write the bound address")?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).context("write the bound address")
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

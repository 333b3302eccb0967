//! The process of the marketplace simulators. It restarts when the program or the order book changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use simulators::OrderBook;

use crate::digest::digest;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::ports;
use crate::processes::{self, Service};
use crate::python::{Environment, tail};
use crate::settings::Settings;

/// Name of the process's note and log.
pub const NAME: &str = "simulators";
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads the order book that will be served. The error for a bad one names line and column.
pub fn read_orders(file: Option<&Path>) -> anyhow::Result<OrderBook> {
    let Some(file) = file else { return OrderBook::sample().context("read the simulators' own order book") };
    OrderBook::from_path(file).map_err(|error| {
        let next = "give --orders a CSV file with the columns of infra/simulators/orders.csv, \
                    or `simulators` for their own";
        Failure::new(Exit::BadOrders, format!("{:#}", anyhow::Error::new(error)), next).into()
    })
}

/// Fails early when their port is taken.
pub fn require_port(paths: &Paths, settings: &Settings) -> anyhow::Result<()> {
    if processes::running(paths, NAME).is_none() {
        ports::require_free(settings.simulators_port, "the simulators", "--simulators-port")?;
    }
    Ok(())
}

/// Starts them unless they run as described already, and returns what it did in words.
pub async fn ensure(paths: &Paths, settings: &Settings, program: &Path) -> anyhow::Result<String> {
    let service = describe(settings, program)?;
    let outcome = match processes::running(paths, NAME) {
        Some(note) if processes::is_current(&note, &service) => "running already",
        found => {
            processes::stop(paths, NAME)?;
            ports::require_free(settings.simulators_port, "the simulators", "--simulators-port")?;
            let python = Environment::cloud(paths).program("python");
            let note = processes::start(paths, &python, &service)?;
            wait(paths, settings, &note).await?;
            if found.is_some() { "restarted" } else { "started" }
        }
    };
    let book = match &settings.orders {
        Some(file) => format!("orders of {}", file.display()),
        None => "their own orders".to_owned(),
    };
    Ok(format!("{outcome} on 127.0.0.1:{} with {book}", settings.simulators_port))
}

fn describe<'a>(settings: &Settings, program: &Path) -> anyhow::Result<Service<'a>> {
    let read = |file: &PathBuf| fs::read(file).with_context(|| format!("read {}", file.display()));
    let mut command =
        vec![program.display().to_string(), "--port".to_owned(), settings.simulators_port.to_string()];
    // At Amazon's own rate of one search in three minutes, the first sync of a real seller would take hours.
    // Reports are ready at the first look, because a run waits ten seconds or more before each.
    let pace = ["--amazon-rate", "20", "--amazon-burst", "200", "--amazon-report-looks", "0"];
    command.extend(pace.map(ToOwned::to_owned));
    let mut parts = vec![read(&program.to_path_buf())?];
    if let Some(file) = &settings.orders {
        command.extend(["--orders".to_owned(), file.display().to_string()]);
        parts.push(read(file)?);
    }
    let version = digest(parts.iter().map(Vec::as_slice));
    Ok(Service { name: NAME, command, environment: BTreeMap::new(), version })
}

async fn wait(paths: &Paths, settings: &Settings, note: &processes::Note) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/_control/health", settings.simulators_url());
    let since = Instant::now();
    while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
        let log = paths.log(NAME);
        if !processes::alive(note) || since.elapsed() > PATIENCE {
            return Err(Failure::new(
                Exit::NotRunning,
                format!("the simulators did not come up:\n{}", tail(&log, 5)),
                format!("read {}, then run the command again", log.display()),
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

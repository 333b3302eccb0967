//! `test`: everything that continuous integration checks, step by step. Every step runs, even after an earlier one failed. A
//! table at the end names the steps that failed.

mod sizes;
pub mod steps;
mod supply;

use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::cli::{DownOptions, Source, UpOptions};
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::python::Environment;
use crate::settings::{Settings, write_private};
use crate::{contract, stack, status, table, tools};

use self::steps::cargo;

/// Packages that are never deployed.
const TOOLS: [&str; 10] = [
    "attack",
    "chaos",
    "chaos-run",
    "defects",
    "local",
    "model",
    "ops",
    "robnu-testkit",
    "simulators",
    "xtask",
];

/// The result of one step.
#[derive(Debug)]
struct Outcome {
    step: &'static str,
    result: Result<(), String>,
    took: Duration,
}

/// Runs every check.
pub async fn run(paths: &Paths) -> anyhow::Result<()> {
    let python = tools::check()?;
    let began = Instant::now();
    let mut outcomes = Vec::new();
    let mut step = |name: &'static str, work: &mut dyn FnMut() -> anyhow::Result<()>| {
        eprintln!("\n=== {name}");
        let since = Instant::now();
        let result = work().map_err(|error| format!("{error:#}"));
        outcomes.push(Outcome { step: name, result, took: since.elapsed() });
    };

    step("format", &mut || cargo(paths, &["fmt", "--all", "--check"], &[]));
    step("file sizes", &mut || sizes::check(&paths.root));
    step("tools", &mut || {
        // Python's packages wait for the network while cargo's tools compile.
        std::thread::scope(|scope| {
            let compiled = scope.spawn(|| supply::install(paths));
            Environment::cloud(paths).ensure(&python)?;
            Environment::contract(paths).ensure(&python)?;
            Environment::spelling(paths).ensure(&python)?;
            Environment::browser(paths).ensure(&python)?;
            Environment::sam(paths).ensure(&python)?;
            compiled
                .join()
                .unwrap_or_else(|_| Err(anyhow!("the installation of cargo's tools ended in a panic")))
        })
    });
    step("spelling", &mut || steps::spelling(paths));
    step("templates", &mut || steps::templates(paths));
    step("clippy", &mut || {
        cargo(paths, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"], &[])?;
        // Deployed code may not call everything that tests and tools may call; .clippy.toml lists what is forbidden.
        let excluded = TOOLS.iter().flat_map(|name| ["--exclude", name]);
        let mut arguments = vec!["clippy", "--workspace", "--lib", "--bins", "--quiet"];
        arguments.extend(excluded);
        arguments.extend(["--", "-D", "clippy::disallowed_methods"]);
        cargo(paths, &arguments, &[])
    });
    step("documentation", &mut || {
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
        cargo(paths, &arguments, &[("RUSTDOCFLAGS", "-D warnings".to_owned())])
    });
    step("dependencies", &mut || supply::check(paths));
    step("unused dependencies", &mut || supply::unused(paths));

    eprintln!("\n=== tests, on the deployed stack");
    let since = Instant::now();
    let result = tests(paths).await.map_err(|error| format!("{error:#}"));
    outcomes.push(Outcome { step: "tests", result, took: since.elapsed() });

    eprintln!("\n=== contract: the API against its own document");
    let since = Instant::now();
    let result = contract::run(paths, &UpOptions::default()).await.map_err(|error| format!("{error:#}"));
    outcomes.push(Outcome { step: "contract", result, took: since.elapsed() });
    // A build machine keeps no stack.
    if std::env::var_os("CI").is_some() {
        stack::down(paths, &DownOptions { purge: true })?;
    }

    eprintln!("\n{}", summary(&outcomes, began.elapsed()));
    let failed: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).map(|outcome| outcome.step).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let next = "fix what the steps report above; the command shown there repeats a step alone";
    Err(Failure::new(Exit::CheckFailed, format!("failed: {}", failed.join(", ")), next).into())
}

/// Brings the stack up and runs all tests against it.
async fn tests(paths: &Paths) -> anyhow::Result<()> {
    let environment = test_environment(paths).await?;
    cargo(paths, &["test", "--workspace", "--no-fail-fast"], &environment)
}

/// Brings the stack up and returns the environment that tests need: a server for test databases, the local AWS, the
/// description of the deployed stack, and a browser.
pub async fn test_environment(paths: &Paths) -> anyhow::Result<Vec<(&'static str, String)>> {
    let browser = Environment::browser(paths);
    browser.ensure(&tools::check()?)?;
    let stack = stack::up(paths, &test_options(paths)?).await?;
    let file = paths.local("stack.json");
    let description = serde_json::to_vec_pretty(&status::describe(paths).await?)?;
    write_private(&file, &description)?;
    Ok(vec![
        ("TEST_DATABASE_URL", stack.settings.database_url("postgres")),
        ("TEST_AWS_ENDPOINT", stack.settings.aws_endpoint()),
        // Credentials of the local AWS's administrator: tests make their own queues, keys and functions.
        ("AWS_REGION", "ap-south-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("ROBNU_STACK", file.display().to_string()),
        ("ROBNU_SAM_PYTHON", Environment::sam(paths).program("python").display().to_string()),
        ("ROBNU_BROWSER_PYTHON", browser.program("python").display().to_string()),
    ])
}

/// The options of the tests' stack. Orders always come from the simulators, because tests know their orders. A checkout that
/// had a stack keeps its ports. A new one takes free ports, because another checkout on this machine may use the usual ones.
fn test_options(paths: &Paths) -> anyhow::Result<UpOptions> {
    let mut options = UpOptions {
        orders: Some(Source::Simulators),
        ajio_url: Some(Source::Simulators),
        amazon_url: Some(Source::Simulators),
        ..UpOptions::default()
    };
    if Settings::load(paths)?.is_none() {
        let usual = Settings::resolve(paths, &options)?;
        options.postgres_port = Some(crate::ports::free_or_other(usual.postgres_port)?);
        options.aws_port = Some(crate::ports::free_or_other(usual.aws_port)?);
        options.simulators_port = Some(crate::ports::free_or_other(usual.simulators_port)?);
    }
    Ok(options)
}

fn summary(outcomes: &[Outcome], all: Duration) -> String {
    let mut rows: Vec<Vec<String>> = outcomes
        .iter()
        .map(|outcome| {
            let result = match &outcome.result {
                Ok(()) => "passed".to_owned(),
                Err(error) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
            };
            vec![outcome.step.to_owned(), format!("{:.1} s", outcome.took.as_secs_f64()), result]
        })
        .collect();
    rows.push(vec!["all".to_owned(), format!("{:.1} s", all.as_secs_f64()), String::new()]);
    table::render(&["step", "took", "result"], &rows, &[1])
}

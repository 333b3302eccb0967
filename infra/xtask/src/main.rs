//! `cargo xtask`: every developer command. The commands run the local cloud, deploy the real template there, demonstrate the
//! platform and check the project.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use local::failure::exit_code;
use local::paths::Paths;
use local::{checks, contract, demo, logs, release, stack, status};

use crate::cli::{Arguments, Command};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            exit_code(&error)
        }
    }
}

/// Whether the reader of our output, such as `head`, has closed the pipe.
fn reader_left(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // The HTTP client needs a cryptography provider, although only loopback is ever called.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let paths = Paths::new(arguments.state.as_deref())?;
    match &arguments.command {
        Command::Up(options) => stack::up(&paths, options).await.map(drop),
        Command::Down(options) => stack::down(&paths, options),
        Command::Status(options) => status::show(&paths, options).await,
        Command::Logs(options) => logs::show(&paths, options).await,
        Command::Deploy(options) => release::deploy(&paths, options),
        Command::Db => status::database(&paths).await,
        Command::Demo(options) => demo::run(&paths, options).await,
        Command::Test => checks::run(&paths).await,
        Command::Contract(options) => contract::run(&paths, options).await,
        Command::Attack(options) => attack::run(&paths, options).await,
        Command::Chaos(options) => chaos::run(&paths, options).await,
        Command::Boundaries(options) => chaos::boundaries::run(&paths, options).await,
        Command::Fairness(options) => chaos::fairness::run(&paths, options).await,
        Command::Defects(options) => defects::run(&paths, options).await,
        Command::Model(options) => model::run(options),
        Command::Ops(options) => ops::run(&paths, options).await,
    }
}

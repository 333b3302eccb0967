//! `cargo xtask`: every developer command. It runs the local cloud, deploys the real template into it, shows it at work and checks the project.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use local::failure::exit_code;
use local::paths::Paths;
use local::{checks, contract, demo, logs, stack, status};

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

/// Did whoever reads our output, such as `head`, have enough of it?
fn reader_left(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Only loopback is ever called, but the HTTP client wants to know its cryptography.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let paths = Paths::new(arguments.state.as_deref())?;
    match &arguments.command {
        Command::Up(options) => stack::up(&paths, options).await.map(drop),
        Command::Down(options) => stack::down(&paths, options),
        Command::Status(options) => status::show(&paths, options).await,
        Command::Logs(options) => logs::show(&paths, options).await,
        Command::Db => status::database(&paths).await,
        Command::Demo(options) => demo::run(&paths, options).await,
        Command::Test => checks::run(&paths).await,
        Command::Contract(options) => contract::run(&paths, options).await,
        Command::Attack(options) => attack::run(&paths, options).await,
        Command::Defects(options) => defects::run(&paths, options).await,
    }
}

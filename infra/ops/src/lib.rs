//! `cargo xtask ops`: what operators do with a running stack, the local one or a deployed one. Today that is dead letters.

mod age;
mod cli;
mod dlq;
mod stack;
mod terminal;

use local::paths::Paths;

pub use crate::cli::{
    Choice, DiscardOptions, DlqCommand, Filters, ListOptions, OpsCommand, OpsOptions, RedriveOptions,
    ShowOptions,
};
pub use crate::stack::Stack;

/// Does what the command line says.
pub async fn run(paths: &Paths, options: &OpsOptions) -> anyhow::Result<()> {
    let stack = Stack::find(paths, &options.stack).await?;
    match &options.command {
        OpsCommand::Dlq { command } => dlq::run(&stack, command, options.json).await,
    }
}

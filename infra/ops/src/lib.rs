//! `cargo xtask ops`: what operators do with a running stack, the local one or a deployed one. It lists what is
//! stuck, runs, lanes and dead letters, handles dead letters, and pauses accounts and marketplaces; and it serves a
//! page for the same.

mod age;
mod change;
mod cli;
mod console;
mod dlq;
mod fresh;
mod group;
mod health;
mod help;
mod hold;
mod lanes;
mod limit;
mod marketplaces;
mod pages;
mod parts;
mod relocate;
mod runs;
mod stack;
mod story;
mod stuck;
mod terminal;
mod words;

use local::paths::Paths;

pub use crate::cli::{
    AccountCommand, AccountOptions, Ages, Choice, ConsoleOptions, DiscardOptions, DlqCommand, Filters,
    HoldOptions, LanesOptions, LimitOptions, ListOptions, MarketplaceCommand, MarketplaceOptions, OpsCommand,
    OpsOptions, RedriveOptions, RunsOptions, ShowOptions, StuckOptions, Whose,
};
pub use crate::console::Console;
pub use crate::stack::Stack;

/// Does what the command line says.
pub async fn run(paths: &Paths, options: &OpsOptions) -> anyhow::Result<()> {
    let stack = Stack::find(paths, &options.stack).await?;
    match &options.command {
        OpsCommand::Dlq { command } => dlq::run(&stack, command, options.json).await,
        OpsCommand::Account { command } => hold::account(&stack, command, options.json).await,
        OpsCommand::Marketplace { command } => hold::marketplace(&stack, command, options.json).await,
        OpsCommand::Stuck(what) => stuck::run(&stack, what, options.json).await,
        OpsCommand::Runs(what) => runs::run(&stack, what, options.json).await,
        OpsCommand::Story(what) => story::run(&stack, &what.id, options.json).await,
        OpsCommand::Console(how) => console::run(stack, how).await,
        OpsCommand::Lanes(what) => lanes::run(&stack, what, options.json).await,
        OpsCommand::Marketplaces => marketplaces::run(&stack, options.json).await,
    }
}

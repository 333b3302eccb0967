//! The local cloud. It runs PostgreSQL, an AWS emulator and the simulators on this machine, deploys the real template there,
//! demonstrates the platform and checks the project. `infra/xtask` is its command line.

pub mod api;
pub mod aws;
pub mod checks;
pub mod cli;
mod cloud;
pub mod contract;
mod cors;
pub mod demo;
mod deploy;
pub mod digest;
pub mod failure;
pub mod functions;
pub mod logs;
pub mod paths;
mod ports;
mod postgres;
mod processes;
pub mod progress;
mod python;
pub mod release;
pub mod settings;
mod simulator;
pub mod stack;
pub mod status;
pub mod table;
mod template;
pub mod terminal;
pub mod tools;
pub mod traces;

pub use postgres::{ScratchServer, Stop};
pub use processes::signal;

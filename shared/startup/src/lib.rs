//! What every function does at cold start: read its environment, build AWS clients, log in to the database.
//!
//! A function with a bad environment refuses to start and says which variable is to blame. What comes after the start is
//! the same for every function as well: [`serve`].

mod aws;
pub mod env;
mod invocation;
mod login;

pub use aws::aws_config;
pub use env::EnvError;
pub use invocation::serve;
pub use login::{Login, StartupError, database, database_config, digest_key, login, optional_secret};

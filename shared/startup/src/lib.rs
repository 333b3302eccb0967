//! Cold start: every function reads its environment, builds AWS clients and logs in to the database.
//!
//! A function with a bad environment refuses to start and names the variable. After the start every function calls [`serve`].

mod aws;
pub mod custom_resource;
pub mod env;
mod invocation;
mod keys;
mod login;
mod objects;

pub use aws::aws_config;
pub use env::EnvError;
pub use invocation::serve;
pub use keys::KeySettings;
pub use login::{Login, StartupError, database, database_config, digest_key, login, optional_secret};
pub use objects::objects;

//! Environment variables, parsed once. Every error names the variable.

use std::str::FromStr;

/// What is wrong with the environment. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A variable without which the function cannot work.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable whose value does not parse.
    #[error("environment variable {name} is not {expected}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// A variable, or `None` when it is unset or empty.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that must be set.
pub fn required(name: &'static str) -> Result<String, EnvError> {
    optional(name).ok_or(EnvError::Missing(name))
}

/// A variable that must be set and parse; `expected` says what it should be.
pub fn parsed<T: FromStr>(name: &'static str, expected: &'static str) -> Result<T, EnvError> {
    required(name)?.parse().map_err(|_| EnvError::Malformed { name, expected })
}

/// A variable that must be set and hold JSON of the given shape.
pub fn json<T: serde::de::DeserializeOwned>(
    name: &'static str,
    expected: &'static str,
) -> Result<T, EnvError> {
    serde_json::from_str(&required(name)?).map_err(|_| EnvError::Malformed { name, expected })
}

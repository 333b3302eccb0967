//! The environment of a function's real binary.

use std::path::Path;
use std::process::Command;

use robnu_tenancy::DatabaseConfig;

/// What every function needs: its login at this database, and the local AWS. Functions add variables of their own.
///
/// # Panics
/// Panics without the address of the local AWS.
#[must_use]
pub fn function_environment(database: &DatabaseConfig) -> Vec<(&'static str, String)> {
    let inherited = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let mut environment: Vec<_> =
        inherited.into_iter().map(|name| (name, std::env::var(name).unwrap_or_default())).collect();
    environment.extend([
        ("AWS_ENDPOINT_URL", std::env::var("TEST_AWS_ENDPOINT").expect("the address of the local AWS")),
        ("DATABASE_TLS", "off".to_owned()),
        ("DATABASE_HOST", database.host.clone()),
        ("DATABASE_PORT", database.port.to_string()),
        ("DATABASE_NAME", database.name.clone()),
        ("DATABASE_USER", database.user.clone()),
    ]);
    environment
}

/// Starts a function in the environment `good` with one variable changed, or removed, and returns the log of its refusal.
///
/// # Panics
/// Panics when the function starts all the same.
#[must_use]
pub fn refusal_to_start(
    binary: impl AsRef<Path>,
    good: &[(&str, &str)],
    variable: &str,
    value: Option<&str>,
) -> String {
    let mut command = Command::new(binary.as_ref());
    command.env_clear().envs(good.iter().copied()).env_remove(variable);
    if let Some(value) = value {
        command.env(variable, value);
    }
    let output = command.output().expect("the function can be started");
    assert!(!output.status.success(), "{variable} does not matter");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

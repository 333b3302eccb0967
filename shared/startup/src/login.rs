//! The function's database login: host from the environment, password from its own secret.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use robnu_storage::DigestKey;
use robnu_tenancy::{Database, DatabaseConfig, Limits, MAX_IDLE, Password, Tls};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::env::{self, EnvError};

/// How long a connection may take; a cold Aurora answers within seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Why a function could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The environment is wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The login's secret could not be read.
    #[error(
        "the secret named by {variable} cannot be read: check that it exists and that the function may read it"
    )]
    Secret {
        /// The variable that names the secret.
        variable: &'static str,
        /// The SDK's error; holds no secret.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The secret is not `{"username", "password"}`.
    #[error("the secret named by {variable} is not a JSON object with username and password")]
    SecretShape {
        /// The variable that names the secret.
        variable: &'static str,
    },
    /// The digest key's secret is too short.
    #[error("the secret named by {variable} is shorter than 32 characters")]
    ShortSecret {
        /// The variable that names the secret.
        variable: &'static str,
    },
    /// The pool could not be set up.
    #[error("the database pool cannot be set up")]
    Database(#[from] robnu_tenancy::Error),
}

/// A login as its secret holds it.
#[derive(Deserialize)]
pub struct Login {
    /// Role name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Reads the login in the secret `secret_id`, which the environment variable `variable` names.
pub async fn login(aws: &SdkConfig, variable: &'static str, secret_id: &str) -> Result<Login, StartupError> {
    let text = secret(aws, variable, secret_id).await?;
    serde_json::from_str(&text).map_err(|_| StartupError::SecretShape { variable })
}

/// The secret that `variable` names, or `None` when the variable is unset or empty.
pub async fn optional_secret(
    aws: &SdkConfig,
    variable: &'static str,
) -> Result<Option<Zeroizing<String>>, StartupError> {
    match env::optional(variable) {
        Some(secret_id) => secret(aws, variable, &secret_id).await.map(Some),
        None => Ok(None),
    }
}

/// The platform's digest key, in the secret that `DIGEST_SECRET_ID` names.
pub async fn digest_key(aws: &SdkConfig) -> Result<DigestKey, StartupError> {
    const SECRET: &str = "DIGEST_SECRET_ID";
    let text = secret(aws, SECRET, &env::required(SECRET)?).await?;
    DigestKey::new(&text).ok_or(StartupError::ShortSecret { variable: SECRET })
}

async fn secret(
    aws: &SdkConfig,
    variable: &'static str,
    secret_id: &str,
) -> Result<Zeroizing<String>, StartupError> {
    let answer = aws_sdk_secretsmanager::Client::new(aws)
        .get_secret_value()
        .secret_id(secret_id)
        .send()
        .await
        .map_err(|error| StartupError::Secret { variable, source: Box::new(error.into_service_error()) })?;
    Ok(Zeroizing::new(answer.secret_string.unwrap_or_default()))
}

/// Where the database is, as `DATABASE_HOST`, `_PORT`, `_NAME`, `_TLS` (`off` or `verify`) and `_CA_FILE` say.
pub fn database_config(user: String, password: Option<Password>) -> Result<DatabaseConfig, StartupError> {
    let tls = match (env::required("DATABASE_TLS")?.as_str(), env::optional("DATABASE_CA_FILE")) {
        ("off", _) => Tls::Off,
        ("verify", None) => Tls::PublicRoots,
        ("verify", Some(file)) => Tls::Roots(PathBuf::from(file)),
        _ => return Err(EnvError::Malformed { name: "DATABASE_TLS", expected: "off or verify" }.into()),
    };
    Ok(DatabaseConfig {
        host: env::required("DATABASE_HOST")?,
        port: env::parsed("DATABASE_PORT", "a port number")?,
        name: env::required("DATABASE_NAME")?,
        user,
        password,
        tls,
        pool_size: 1,
        connect_timeout: CONNECT_TIMEOUT,
        max_idle: MAX_IDLE,
        limits: None,
    })
}

/// The database as this function's login role `DATABASE_USER`, with the password in `DATABASE_SECRET_ID`. Without a
/// secret no password is sent, which only a server that trusts the address accepts.
pub async fn database(aws: &SdkConfig) -> Result<Database, StartupError> {
    const SECRET: &str = "DATABASE_SECRET_ID";
    let password = match env::optional(SECRET) {
        None => None,
        Some(secret_id) => Some(Password::new(login(aws, SECRET, &secret_id).await?.password)),
    };
    let mut config = database_config(env::required("DATABASE_USER")?, password)?;
    config.limits = Some(Limits::of_login(&config.user));
    Ok(Database::new(&config).await?)
}

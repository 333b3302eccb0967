//! Why the database is not up to date.

use robnu_schema::SchemaError;
use robnu_startup::{EnvError, StartupError};

/// Why the database is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The environment or a secret is wrong.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// A secret belongs to another role than the environment says.
    #[error("the secret of login role {role} names another user")]
    WrongSecret {
        /// The role.
        role: String,
    },
    /// The database did not accept the master's connection.
    #[error("the database cannot be reached as its master user")]
    Connect(#[source] tokio_postgres::Error),
    /// TLS for the connection failed.
    #[error(transparent)]
    Tls(#[from] robnu_tenancy::Error),
    /// A migration failed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A role's password could not be set.
    #[error("the password of login role {role} could not be set")]
    Password {
        /// The role.
        role: String,
        /// The database's answer.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The staff members could not be set.
    #[error("the staff members could not be set")]
    Staff(#[source] tokio_postgres::Error),
    /// The function's time was nearly over. What was applied stays.
    #[error(
        "the migrations took too long: a statement that takes more than ten minutes belongs into a sweep, which goes on where it stopped"
    )]
    OutOfTime,
    /// The work ended in a panic, which the log has.
    #[error("the migration ended in a panic; see the function's log")]
    Panicked,
}

impl From<EnvError> for MigrateError {
    fn from(error: EnvError) -> Self {
        Self::Startup(error.into())
    }
}
